"""What of the sound a master playlist says, and in which order (contract §2.1, step 8).

Languages and labels are those of the rows; where these say nothing, those of the files.  The
default comes first, then Dolby's before others.  Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

from metadata.records import AssetRecord
from origin.contract.selection import DOLBY, LEAST_DOLBY
from packager.languages import bcp47
from packager.presentation import AudioRendition, Presentation
from packager.said import NOTHING, Said


def said_of(rows: Iterable[AssetRecord]) -> tuple[Said, ...]:
    """For a recipe of *rows*; nothing where none says anything."""
    said = tuple(
        Said(
            language=bcp47(row.language) if row.language else None,
            label=row.label or None,
            default=row.is_default or None,
        )
        for row in rows
    )
    return said if any(one != NOTHING for one in said) else ()


def arranged(every: Presentation, default: str = "", muxed: str = "") -> Presentation:
    """*every* with sound in language *muxed* alone, where there is any, and that in language
    *default* for the default one."""
    audio = _spoken(every.audio, muxed) or every.audio
    wanted = _spoken(audio, default)[:1]
    if wanted:
        audio = tuple(replace(one, default=one is wanted[0]) for one in audio)
    return replace(every, audio=tuple(sorted(audio, key=_place)))


def is_spoken(language: str, languages: Iterable[str | None]) -> bool:
    """Whether *language* is one of the *languages* of tracks, as a selector would find it."""
    wanted = bcp47(language)
    return wanted is not None and wanted.lower() in {one.lower() for one in languages if one}


def _spoken(audio: tuple[AudioRendition, ...], language: str) -> tuple[AudioRendition, ...]:
    """Those in *language*: with its region, or else whatever the region."""
    wanted = (bcp47(language) or "").lower()
    if not wanted:
        return ()
    exact = tuple(one for one in audio if (one.language or "").lower() == wanted)
    main = wanted.partition("-")[0]
    return exact or tuple(
        one for one in audio if (one.language or "").lower().partition("-")[0] == main
    )


def _place(one: AudioRendition) -> tuple[bool, int]:
    return not one.default, DOLBY.get(one.codec, LEAST_DOLBY)
