"""Files of captions that are ingested: ``--captions FILE[:LANGUAGE[:LABEL]]``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metadata.caption_changes import NewCaptions
from metadata.enums import CaptionFormat as Stored
from metadata.enums import CaptionPurpose
from packager.captions.cues import MAX_BYTES
from packager.captions.formats import CaptionFormat, guess, parse
from packager.errors import PackagerError
from packager.languages import bcp47

UNDETERMINED = "und"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
_PURPOSES = {
    "forced": CaptionPurpose.FORCED,
    "sdh": CaptionPurpose.CAPTIONS,
    "cc": CaptionPurpose.CAPTIONS,
}
"""Words before the ending of a name: ``film.eng.sdh.srt``."""

_FORMATS = {
    CaptionFormat.WEBVTT: Stored.WEBVTT,
    CaptionFormat.SRT: Stored.SRT,
    CaptionFormat.DFXP: Stored.DFXP,
    CaptionFormat.SCC: Stored.SCC,
    CaptionFormat.ASS: Stored.ASS,
}


class BadCaptions(Exception):
    """The option cannot be, or no file is there."""


class UnreadableCaptions(Exception):
    """A file that is refused."""


@dataclass(frozen=True, slots=True)
class CaptionOption:
    path: Path
    language: str
    label: str | None
    purpose: CaptionPurpose = CaptionPurpose.SUBTITLES


def parse_option(text: str) -> CaptionOption:
    """The longest part that is a file is the file.  Without a language the name tells one:
    ``film.eng.srt``.  Raises ``BadCaptions``."""
    parts = text.split(":")
    for count in range(len(parts), 0, -1):
        path = Path(":".join(parts[:count]))
        if path.is_file():
            break
    else:
        raise BadCaptions(f"{text}: there is no such file")
    language, _, label = ":".join(parts[count:]).partition(":")
    if language and not _LANGUAGE.fullmatch(language):
        raise BadCaptions(f"{text}: {language!r} is not a language such as eng or en-GB")
    words = [one[1:] for one in path.suffixes[:-1]]
    purpose = _PURPOSES.get(words[-1].lower()) if words else None
    named = language or _named(words if purpose is None else words[:-1])
    return CaptionOption(path, named, label or None, purpose or CaptionPurpose.SUBTITLES)


def _named(words: list[str]) -> str:
    """The language in the name of a file."""
    word = words[-1] if words else ""
    known = _LANGUAGE.fullmatch(word) and bcp47(word)
    return word if known and (len(word) == 2 or known != word.lower()) else UNDETERMINED


def examine_captions(options: Sequence[CaptionOption]) -> tuple[NewCaptions, ...]:
    """What is stored of files that can be read.  Raises ``UnreadableCaptions``."""
    return tuple(map(_examine, options))


def _examine(option: CaptionOption) -> NewCaptions:
    path = option.path.resolve()
    try:
        status = path.stat()
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        form = guess(data)
        parse(data, form)
    except OSError as error:
        raise UnreadableCaptions(f"{path}: {error.strerror}") from None
    except PackagerError as error:
        raise UnreadableCaptions(f"{path}: {error}") from None
    return NewCaptions(
        path=str(path),
        format=_FORMATS[form],
        language=option.language,
        label=option.label,
        purpose=int(option.purpose),
        changed_at=status.st_mtime_ns,
    )
