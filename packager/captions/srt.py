"""SubRip: no standard, but what its files have in common.

    1
    00:00:01,000 --> 00:00:02,500
    <i>text</i>

Read as players do: the times make a cue, numbers are not looked at, cues may overlap and lie
in any order, and an empty line inside a text is left out.  Of the markup b, i and u stay;
fonts go; ``{\\an8}`` and the like, of another format, set the line.
"""

import re
from collections.abc import Iterator

from packager.captions.cues import MAX_CUES, Captions, Cue, MalformedCaptions
from packager.captions.encodings import decode
from packager.captions.webvtt import milliseconds

_TIME = r"([0-9]{1,4}):([0-5]?[0-9]):([0-5]?[0-9])(?:[,.]([0-9]{1,3}))?"
_TIMING = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?![0-9,.:]).*")
_MEANT_AS_TIMING = re.compile(r"[ \t]*-?[0-9][:.,0-9 \t-]*-->")
_NUMBER = re.compile(r"[ \t]*[0-9]{1,9}[ \t]*")
_MARKUP = re.compile(
    r"<(?P<close>/?)(?P<tag>[biu])[ \t]*>|</?font\b[^<>\n]{0,300}>"
    r"|\{\\an?(?P<place>[0-9]{1,2})\}|\{\\[^{}\n]{0,300}\}|&(?P<entity>amp|lt|gt|nbsp|lrm|rlm|#[0-9]{1,7}|#x[0-9a-f]{1,6});"
    r"|(?P<raw>[&<>])",
    re.IGNORECASE,
)
_RAW = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINES = {"7": "line:0", "8": "line:0", "9": "line:0"} | dict.fromkeys("456", "line:50%")
"""By the place of the text on a numeric keypad; below is where captions are anyway."""


def parse(data: bytes) -> Captions:
    """Raises ``MalformedCaptions``."""
    text, encoding = decode(data)
    lines = text.split("\n")
    cues = [cue for cue in _cues(lines) if cue.end > cue.start and cue.text]
    return Captions(tuple(sorted(cues, key=lambda cue: cue.start)), (), encoding)


def _cues(lines: list[str]) -> Iterator[Cue]:
    timed = _timings(lines)
    if not timed:
        if any(line.strip() for line in lines):
            raise MalformedCaptions(1, "there are no times of a cue")
        return
    first = timed[0][0]
    numbered = first > 0 and bool(_NUMBER.fullmatch(lines[first - 1]))
    ends = [at for at, _ in timed[1:]]
    for (at, found), end in zip(timed, [*ends, len(lines)], strict=True):
        followed = numbered and end < len(lines) and _NUMBER.fullmatch(lines[end - 1])
        stop = end - 1 if followed else end
        digits = found.groups()
        start, finish = (
            milliseconds([*some[:3], (some[3] or "").ljust(3, "0")])
            for some in (digits[:4], digits[4:])
        )
        text, settings = _text([line for line in lines[at + 1 : stop] if line.strip()])
        yield Cue(start, finish, text, "", settings)


def _timings(lines: list[str]) -> list[tuple[int, re.Match[str]]]:
    """The lines that hold times, from 0."""
    timed = []
    for at, line in enumerate(lines):
        if "-->" not in line:
            continue
        if (found := _TIMING.fullmatch(line)) is not None:
            timed.append((at, found))
        elif _MEANT_AS_TIMING.match(line):
            raise MalformedCaptions(at + 1, "the times of a cue cannot be read")
        if len(timed) > MAX_CUES:
            raise MalformedCaptions(at + 1, f"more than {MAX_CUES} cues")
    return timed


def _text(lines: list[str]) -> tuple[str, str]:
    """*lines* as WebVTT cue text, and its settings."""
    settings = [""]

    def rewrite(found: re.Match[str]) -> str:
        if tag := found["tag"]:
            return f"<{found['close']}{tag.lower()}>"
        if place := found["place"]:
            settings[0] = _LINES.get(place, "")
        if found["entity"]:
            return found[0]
        return _RAW.get(found["raw"] or "", "")

    written = [_MARKUP.sub(rewrite, line).strip() for line in lines]
    return "\n".join(filter(None, written)), settings[0]
