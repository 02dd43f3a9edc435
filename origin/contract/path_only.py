"""The mapping of a serveFlavor URL (contract §2.2, ``pathOnly=1``): what a packager in front of
this metadata is told of its flavors.  Pure.

An empty path says that the file is known and is in another data centre.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from metadata.file_records import FlavorFiles
from origin.contract.refusals import Number, Refused
from origin.contract.serve_flavor import ServeFlavor, parse_serve_flavors
from origin.errors import BadUrl
from origin.parameters import Parameters
from origin.paths import path_segments

_UNKNOWN = "und"


@dataclass(frozen=True, slots=True)
class PathOnly:
    """Flavors of one entry, in the URL's order."""

    files: tuple[ServeFlavor, ...]

    @property
    def partner(self) -> int:
        return self.files[0].partner

    @property
    def entry(self) -> str:
        return self.files[0].entry

    @property
    def flavors(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.flavor for one in self.files))


def parse_path_only(path: str, query: dict[str, str]) -> PathOnly:
    """Of a percent-encoded *path*, which may be a set.  Raises ``BadUrl``."""
    if query.get("pathOnly") != "1":
        raise BadUrl("pathOnly=1 is missing")
    for name in query:
        if name != "pathOnly":
            raise BadUrl(f"{name} is not supported yet")
    return PathOnly(parse_serve_flavors("/".join(path_segments(path))))


def mapping_of(asked: PathOnly, known: Iterable[FlavorFiles], dc: int) -> dict[str, object]:
    """The mapping as JSON's values, for a packager in data centre *dc*.

    Raises ``Refused`` (6) where a flavor, or the version asked for, is not there.
    """
    every = list(known)
    sequences = [_sequence(_picked(one, every), dc) for one in asked.files]
    return {"sequences": sequences, **_clip(asked.files[0].parameters)}


def _picked(one: ServeFlavor, every: list[FlavorFiles]) -> FlavorFiles:
    for found in every:
        wanted = found.is_current if one.version is None else found.version == one.version
        if found.id == one.flavor and wanted:
            return found
    raise Refused(Number.FLAVOR_NOT_FOUND)


def _sequence(found: FlavorFiles, dc: int) -> dict[str, object]:
    path = _path(found, dc)
    kind = "http" if "://" in path else "file"
    sequence: dict[str, object] = {
        "clips": [{"type": "source", "path": path, "sourceType": kind}]
    }
    if found.language and found.language != _UNKNOWN:
        sequence["language"] = found.language
    if found.label:
        sequence["label"] = found.label
    return sequence


def _path(found: FlavorFiles, dc: int) -> str:
    if not found.copies:
        return found.path
    return next((one.path for one in found.copies if one.ready and one.dc == dc), "")


def _clip(asked: Parameters) -> dict[str, object]:
    given = {"clipFrom": asked.clip_from, "clipTo": asked.clip_to}
    return {name: value for name, value in given.items() if value is not None}
