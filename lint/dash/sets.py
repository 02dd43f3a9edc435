"""An adaptation set against its media: rules D-01, D-03 to D-08, D-10, D-13 and I-10."""

from fractions import Fraction

from lint.dash.mpd import Element, whole
from lint.dash.timeline import Addressing
from lint.findings import Say
from lint.rates import leaky
from lint.rendition import Rendition
from lint.timing import APART, Segment, Stretch

Member = tuple[Element, Rendition, Addressing | None]


def check_set(
    chosen: Element, members: list[Member], lasts: Fraction | None, buffer: Fraction, say: Say
) -> None:
    for element, rendition, addressing in members:
        _codecs(element, rendition, say)
        _protection(element, rendition, say)
        if addressing is not None:
            _times(element, rendition, addressing, say)
            _cover(element, addressing, lasts, say)
        _rate(element, rendition, buffer, say)
    _same(chosen, members, say)
    _aligned(chosen, members, say)
    _described(chosen, members, say)


def _codecs(element: Element, rendition: Rendition, say: Say) -> None:
    told, real = element.inherited("codecs"), rendition.codecs
    for codec in sorted(real):
        if not any(_names(one.strip(), codec) for one in told.split(",")):
            say("D-01.codecs", element.place, f"@codecs {told!r}, the media has {codec}")


def _names(told: str, real: str) -> bool:
    told, real = told.lower(), real.lower()
    if real.startswith("stpp"):
        return told.startswith("stpp")
    return told == real or (
        real.startswith(("av01", "vp09", "vvc1")) and told.startswith(real + ".")
    )


def _protection(element: Element, rendition: Rendition, say: Say) -> None:
    if rendition.header is None:
        return
    above = element.parent
    protections = element.all("ContentProtection") + (
        above.all("ContentProtection") if above is not None else []
    )
    keys = {p.attributes["default_KID"].replace("-", "").lower()
            for p in protections if "default_KID" in p.attributes}  # fmt: skip
    for track in rendition.header.tracks:
        if track.scheme and not protections:
            say("D-10.absent", element.place, f"{track.scheme}")
        elif track.scheme and keys and track.key_id not in keys:
            say("D-10.key", element.place, f"{' '.join(sorted(keys))}, tenc has {track.key_id}")


def _times(element: Element, rendition: Rendition, addressing: Addressing, say: Say) -> None:
    """S@t, @duration and presentationTimeOffset as the media has them."""
    scale, offset = addressing.timescale, addressing.offset
    if rendition.header is not None:
        for track in rendition.header.tracks:
            if track.timescale != scale:
                say("D-04.timescale", element.place, f"{scale}, mdhd has {track.timescale}")
    for segment in rendition.segments:
        main = segment.main
        if main is None or main.kind == "text" or segment.number >= len(addressing.listed):
            continue
        item = addressing.listed[segment.number]
        told = Fraction(item.time, scale)
        place = f"{element.place} segment {segment.number}"
        if addressing.nominal:
            if abs(main.start - told) > Fraction(addressing.nominal, 2 * scale):
                text = f"starts at {float(main.start):.3f} s, nominally {float(told):.3f} s"
                say("D-06.nominal", place, text)
        elif abs(_shown(main, segment, scale, offset) - told) > Fraction(1, scale):
            text = f"@t {item.time} is {float(told):.4f} s, the media {float(main.start):.4f} s"
            say("D-05.t", place, text)


def _shown(main: Stretch, segment: Segment, scale: int, offset: int) -> Fraction:
    """When it begins to be seen: priming before the Period's start is not."""
    return main.start if segment.number else max(main.start, Fraction(offset, scale))


def check_offsets(members: list[Member], say: Say) -> None:
    """Of one Period: its media starts at presentationTimeOffset (D-07), all of it (C-05)."""
    starts: list[tuple[Fraction, str, str]] = []
    for element, rendition, addressing in members:
        first = rendition.segments[0] if rendition.segments else None
        if addressing is None or first is None or first.number or first.main is None:
            continue
        if first.main.kind == "text":
            continue
        start = first.main.start - Fraction(addressing.offset, addressing.timescale)
        if start < 0 < first.main.end - Fraction(addressing.offset, addressing.timescale):
            start = Fraction(0)
        starts.append((start, element.place, first.main.kind))
    if not starts:
        return
    earliest = min(start for start, _, _ in starts)
    for start, place, kind in starts:
        text = f"{float(start):+.3f} s from the start of the Period"
        if abs(earliest) > APART:
            say("D-07.offset", place, text)
        elif start - earliest > APART:
            say("C-05.start", place, text)
        elif kind == "video" and start > Fraction(1, 1000):
            say("C-06.shift", place, text)


def _cover(element: Element, addressing: Addressing, lasts: Fraction | None, say: Say) -> None:
    if not addressing.listed or lasts is None or element.inherited("type") == "dynamic":
        return
    first, last = addressing.listed[0], addressing.listed[-1]
    longest = max(item.duration for item in addressing.listed)
    end = Fraction(last.time + last.duration - addressing.offset, addressing.timescale)
    if lasts - end > Fraction(longest, addressing.timescale):
        say(
            "D-03.cover", element.place, f"they end at {float(end):.3f} of {float(lasts):.3f} s"
        )
    if first.time - addressing.offset > longest:
        say("D-03.cover", element.place, "the first one starts late")


def _rate(element: Element, rendition: Rendition, buffer: Fraction, say: Say) -> None:
    """D-13, over the segments that are known without a hole from the first on."""
    known = [n for i, n in enumerate(sorted(rendition.sizes)) if n == i]
    told = whole(element, "bandwidth", 0)
    durations = rendition.durations[: len(known)]
    if not known or not told or not buffer or not all(durations):
        return
    sizes = [rendition.sizes[n] for n in known]
    if rendition.count == 1 and element.first("SegmentBase") is not None:
        return
    if buffer < max(durations):
        say("D-13.buffer", element.place, f"{float(buffer):g} s, {float(max(durations)):g} s")
    real = leaky(sizes, durations, buffer)
    if real > told * Fraction(11, 10):
        say("D-13.low", element.place, f"@bandwidth {told}, {int(real)} is needed")
    elif len(known) == rendition.count and told > 2 * real:
        say("D-13.high", element.place, f"@bandwidth {told}, {int(real)} is needed")


def _same(chosen: Element, members: list[Member], say: Say) -> None:
    tracks = [t for _, r, _ in members if r.header is not None for t in r.header.tracks]
    for check, values in (
        ("I-10.timescale", {t.timescale for t in tracks}),
        ("I-10.entry", {t.entry for t in tracks}),
        ("I-10.track", {t.number for t in tracks}),
    ):
        if len(values) > 1:
            say(check, chosen.place, " ".join(map(str, sorted(values, key=str))))


def _aligned(chosen: Element, members: list[Member], say: Say) -> None:
    if chosen.attributes.get("segmentAlignment") == "true":
        grids = {
            tuple(round(Fraction(i.time - a.offset, a.timescale) * 100) for i in a.listed)
            for _, _, a in members
            if a is not None
        }
        if len(grids) > 1:
            say("D-08.aligned", chosen.place, "representations have other boundaries")
    sap = chosen.attributes.get("startWithSAP", "")
    for element, rendition, _ in members:
        if sap not in ("1", "2") and element.attributes.get("startWithSAP") not in ("1", "2"):
            continue
        for segment in rendition.segments:
            video = segment.of("video")
            if video is not None and not video.independent:
                say("D-08.sap", f"{element.place} segment {segment.number}", segment.address)


def _described(chosen: Element, members: list[Member], say: Say) -> None:
    for element, rendition, _ in members:
        kinds = {t.handler for t in rendition.header.tracks} if rendition.header else set()
        if "vide" in kinds:
            absent = [n for n in ("width", "height", "frameRate") if not element.inherited(n)]
            if absent:
                say("D-08.video", element.place, f"no @{' @'.join(absent)}")
        if kinds == {"soun"}:
            absent = [n for n in ("lang", "audioSamplingRate") if not element.inherited(n)]
            described = element.first("AudioChannelConfiguration")
            if described is None and chosen.first("AudioChannelConfiguration") is None:
                absent.append("AudioChannelConfiguration")
            if absent:
                say("D-08.audio", element.place, f"no {' '.join(absent)}")
