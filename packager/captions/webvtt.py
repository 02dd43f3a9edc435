"""WebVTT (W3C Candidate Recommendation of 2019-04-04), both ways.

    WEBVTT
    X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000    in segments of HLS (RFC 8216 §3.5)

    STYLE | REGION                                      before the first cue
    …

    id
    00:00:01.000 --> 00:00:02.500 line:0
    text

The parser takes blocks as that of the standard does (§6.1), but where this one would drop a
cue whose times cannot be read, the file is refused, for whoever made it wanted it seen.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from packager.captions.cues import MAX_CUES, Captions, Cue, MalformedCaptions
from packager.captions.encodings import decode

SIGNATURE = "WEBVTT"
_ARROW = "-->"
_TIME = r"(?:([0-9]{1,4}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})"
_TIMING = re.compile(rf"[ \t\f]*{_TIME}[ \t\f]*-->[ \t\f]*{_TIME}(?![^ \t\f])(.*)")
_SETTING = re.compile(r"(?:vertical|line|position|size|align|region):[!-~\u00a1-\uffff]+")
_WITHIN = re.compile(rf"<{_TIME}>")
_BLOCK = re.compile(r"(STYLE|REGION)[ \t\f]*")

_Line = tuple[int, str]
"""Its number, from 1, and what it holds."""


def parse(data: bytes) -> Captions:
    """Raises ``MalformedCaptions``."""
    text, encoding = decode(data)
    lines = text.split("\n")
    if not re.match(rf"{SIGNATURE}(?![^ \t])", lines[0]):
        raise MalformedCaptions(1, f"it does not begin with {SIGNATURE}")
    cues: list[Cue] = []
    blocks: list[str] = []
    for block in _blocks(lines):
        if (cue := _cue(block)) is not None:
            cues.append(cue)
        elif not cues and _BLOCK.fullmatch(block[0][1]):
            blocks.append("\n".join((block[0][1].rstrip(), *(line for _, line in block[1:]))))
        if len(cues) > MAX_CUES:
            raise MalformedCaptions(block[0][0], f"more than {MAX_CUES} cues")
    return Captions(_ordered(cues), tuple(blocks), encoding)


def _blocks(lines: list[str]) -> Iterator[list[_Line]]:
    """Runs of lines that are not empty, behind the header; an arrow where no times can be
    begins another one (§6.2)."""
    ends = (at for at, line in enumerate(lines) if at and (not line or _ARROW in line))
    start = next(ends, len(lines))
    block: list[_Line] = []
    for at in range(start, len(lines)):
        line = lines[at]
        timed = _ARROW in line and len(block) > 0
        if block and (not line or (timed and not _may_be_timed(block))):
            yield block
            block = []
        if line:
            block.append((at + 1, line))
    if block:
        yield block


def _may_be_timed(block: list[_Line]) -> bool:
    """Whether the next line may hold the times of a cue with *block* for its id."""
    return len(block) == 1 and _ARROW not in block[0][1]


def _cue(block: list[_Line]) -> Cue | None:
    """None of a comment, a style or a region."""
    at = next((at for at, (_, line) in enumerate(block) if _ARROW in line), None)
    if at is None:
        return None
    number, line = block[at]
    found = _TIMING.fullmatch(line)
    if found is None:
        if block[0][1].split(None, 1)[:1] == ["NOTE"]:
            return None
        raise MalformedCaptions(number, "the times of a cue cannot be read")
    *digits, rest = found.groups()
    return Cue(
        milliseconds(digits[:4]),
        milliseconds(digits[4:]),
        "\n".join(line for _, line in block[at + 1 :]),
        block[0][1] if at else "",
        " ".join(word for word in rest.split() if _SETTING.fullmatch(word)),
    )


def milliseconds(digits: Iterable[str | None]) -> int:
    """Of hours, minutes, seconds and thousandths."""
    hours, minutes, seconds, thousandths = (int(one or 0) for one in digits)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _ordered(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Those that are ever shown, by start, without ids that are not of one cue alone: a player
    that finds a cue again by its id would lose all but the first."""
    shown = [cue for cue in cues if cue.end > cue.start and cue.text]
    named = Counter(cue.id for cue in shown if cue.id)
    return tuple(
        replace(cue, id="") if named[cue.id] > 1 else cue
        for cue in sorted(shown, key=lambda cue: cue.start)
    )


def render(captions: Captions) -> str:
    """All of *captions* as a file; ``parse`` of it has the same cues and blocks."""
    return "".join((header(captions), *map(cue_text, captions.cues)))


def header(captions: Captions, mpegts: int | None = None) -> str:
    """What stands before the cues, of a file or of a segment: there cue time 0 is at *mpegts*
    of the 90 kHz clock."""
    mapped = "" if mpegts is None else f"X-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:00:00:00.000\n"
    blocks = "".join(f"{block}\n\n" for block in captions.blocks)
    return f"{SIGNATURE}\n{mapped}\n{blocks}"


def cue_text(cue: Cue) -> str:
    """One cue, with the empty line behind it."""
    named = f"{cue.id}\n" if cue.id else ""
    settings = f" {cue.settings}" if cue.settings else ""
    return f"{named}{timestamp(cue.start)} --> {timestamp(cue.end)}{settings}\n{cue.text}\n\n"


def earlier(text: str, by: int) -> str:
    """Cue *text* whose timestamps within, of words that appear one by one, are *by* ms less.

    >>> earlier("one <00:00:07.000>two", 6_000)
    'one <00:00:01.000>two'
    """
    return _WITHIN.sub(
        lambda found: f"<{timestamp(max(milliseconds(found.groups()) - by, 0))}>", text
    )


def timestamp(time: int) -> str:
    """
    >>> timestamp(3_723_004)
    '01:02:03.004'
    """
    seconds, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}"
