"""Every file in every protocol and container, over HTTP from a running origin.

No file has a row here: one that nobody has seen plays in the eyes of all judges, or is
refused by name, quickly and in little memory.
"""

import re
from pathlib import Path

import pytest

from lint.examining import examine
from lint.fetching import Fetcher
from lint.findings import Report, Severity
from lint.rules import CHECKS
from tests.conformance.files import media_names
from tests.conformance.judging import (
    Decoded,
    Decoder,
    Media,
    StrictParser,
    judge_mpds,
    judge_times,
    units_of,
)
from tests.conformance.laboratory import Laboratory
from tests.conformance.presented import (
    NotPresented,
    Presented,
    Segmented,
    Way,
    present,
)

NAMES = media_names() or [pytest.param("", id="no media")]

PATIENCE = 1.0
"""Seconds that a file may take to be refused or indexed."""

MISTIMED = {
    "media3/sample_eac3.mp4": "frames of one block, 256 samples, that stts says last 1536"
}
"""Files whose table of times contradicts their sound: packed audio has only the sound."""

MOST = 20
"""Segments of a rendition that lint looks at."""

REASON = re.compile(r"(track \d+: )*[^:]+: .+|sample \d+: .+")
"""What is wrong is named first: a box, an element, a track, a sample."""


@pytest.mark.parametrize("name", NAMES)
def test_taken_or_refused(lab: Laboratory, name: str) -> None:
    taken = lab.take(name)
    size = lab.path(name).stat().st_size
    assert taken.seconds < PATIENCE
    assert taken.peak < 16 * size + (16 << 20)
    for reason in taken.said:
        assert REASON.fullmatch(reason), reason
        assert "Traceback" not in reason
    if not taken.entry:
        answer = lab.ask(f"/hls/local/{name}/master.m3u8")
        assert answer.status == 502
        assert REASON.fullmatch(answer.headers["x-headrace-error"])


@pytest.mark.parametrize("way", Way, ids=lambda way: way.name)
@pytest.mark.parametrize("name", NAMES)
def test_every_judge_accepts_it(
    lab: Laboratory, strict: StrictParser, decoder: Decoder, dash_xsd: Path, name: str, way: Way
) -> None:
    if not lab.take(name).entry:
        return  # refused: the other test
    try:
        found = present(lab, name, way)
    except NotPresented as refused:
        assert refused.status == 502, refused
        assert re.match(r"(HLS|DASH): ", refused.reason), (
            refused
        )  # that it carries nothing of it
        return
    for text in found.playlists.values():
        strict.judge(text)
    judge_mpds(found.mpds, dash_xsd)
    if judge_media(lab, decoder, name, found):
        judge_rules(lab, found)


def judge_media(lab: Laboratory, decoder: Decoder, name: str, found: Presented) -> bool:
    """Whether all of it is there: a damaged sample is refused by name."""
    whole = True
    for listed in found.renditions:
        media = fetch(lab, found, listed)
        if media is None:
            whole = False
            continue
        if not (media.is_packed and name in MISTIMED):
            judge_times(listed, units_of(media))
        judge_decoding(decoder, lab.path(name), listed, media)
    return whole


def judge_rules(lab: Laboratory, found: Presented) -> None:
    """By ``headrace lint``, which shares no code with the packager."""
    report = Report()
    fetcher = Fetcher(20, {})
    try:
        for manifest in (*found.mpds, *(["master.m3u8"] if found.playlists else [])):
            address = f"{lab.origin.url}{found.folder}{manifest}"
            examine(address, fetcher, report, MOST)
    finally:
        fetcher.close()
    errors = [one for one in report.findings if CHECKS[one.check].severity is Severity.ERROR]
    assert errors == []


def fetch(lab: Laboratory, found: Presented, listed: Segmented) -> Media | None:
    """The bytes of a rendition, or None where a damaged sample of it is refused by name."""
    segments = []
    for uri in listed.media:
        answer = lab.ask(found.folder + uri)
        if answer.status == 502:
            assert re.match(r"sample \d+: .+", answer.headers["x-headrace-error"])
            return None
        assert answer.status == 200, (uri, answer)
        segments.append(answer.body)
    init = lab.get(found.folder + listed.init) if listed.init else b""
    return Media(init, tuple(segments))


def judge_decoding(decoder: Decoder, source: Path, listed: Segmented, media: Media) -> None:
    """Everything decodes that does in the source, for as long as the list says."""
    ours = decoder.decode(media.joined)
    assert ours
    for kind, got in ours.items():
        if not isinstance(got, Decoded):
            wanted = decoder.decode(source.read_bytes()).get(kind)
            assert not isinstance(wanted, Decoded), (listed.name, kind, got)
            continue
        assert got.frames > 0
