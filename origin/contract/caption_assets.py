"""The URLs of caption assets (contract §2.5).

    /api_v3/index.php/service/caption_captionasset/action/serveWebVTT/captionAssetId/{id}
        [/segmentDuration/30][/version/{n}]/a.m3u8                        a playlist
        [/segmentDuration/30][/version/{n}]/segmentIndex/{n}.vtt          a segment of it
    …/action/serve/captionAssetId/{id}[/version/{n}]                      the file as it is

Pure.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from metadata.errors import BadId
from metadata.ids import check_id
from origin.contract.parameters import gather
from origin.contract.refusals import Number, Refused
from origin.errors import BadUrl
from origin.paths import path_segments
from packager.presentation import Timeline

PREFIX = "/api_v3/"
_SERVICE = ["service", "caption_captionasset", "action"]
_BASE = "/api_v3/index.php/service/caption_captionasset/action/serveWebVTT"
_NAMES = {
    name: name
    for name in ("captionAssetId", "segmentDuration", "segmentIndex", "version", "ks")
}
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
DEFAULT_DURATION = 30
_LONGEST = 3600
_MOST_SEGMENTS = 20_000


class Form(StrEnum):
    PLAYLIST = "playlist"
    SEGMENT = "segment"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionAsset:
    """What is asked for of captions."""

    id: str
    form: Form
    version: int | None = None
    """None: the current one."""

    duration: int = DEFAULT_DURATION
    """Of a segment, seconds."""

    segment: int = 0
    """From 1."""

    def timeline(self, length: int) -> Timeline:
        """The segments of captions of a film of so many milliseconds.  Raises ``Refused``."""
        step = self.duration * 1000
        if length > _MOST_SEGMENTS * step:
            raise Refused(Number.INVALID_PARAMETER, "segmentDuration is too short")
        end = max(length, 1)
        return Timeline(1000, tuple(range(0, end, step)), end)

    def address(self, segment: int, version: int) -> str:
        """The path of a segment."""
        return (
            f"{_BASE}/captionAssetId/{self.id}/segmentDuration/{self.duration}"
            f"/version/{version}/segmentIndex/{segment}.vtt"
        )


def is_caption_asset(path: str) -> bool:
    """Whether *path* could be one of these."""
    return path.startswith(PREFIX)


def parse_caption_asset(path: str, query: str = "") -> CaptionAsset:
    """Raises ``BadUrl`` and ``Refused``."""
    parts = path_segments(path, may_be_empty=True)[1:]
    if parts[:1] == ["index.php"]:
        parts = parts[1:]
    if parts[:3] != _SERVICE or len(parts) < 4:
        raise BadUrl("no such resource: below /api_v3/ are captions only")
    action = parts[3]
    given = gather(parts[4:], query, _NAMES)
    if action not in ("serveWebVTT", "serve"):
        raise BadUrl(f"action {action} is not supported")
    if "captionAssetId" not in given:
        raise Refused(Number.MISSING_PARAMETER, "captionAssetId")
    try:
        asset = check_id(given["captionAssetId"])
    except BadId:
        raise Refused(Number.FILE_NOT_FOUND) from None
    version = _number(given, "version", 10**9)
    if action == "serve":
        return CaptionAsset(id=asset, form=Form.FILE, version=version)
    given["segmentIndex"] = given.get("segmentIndex", "").removesuffix(".vtt")
    segment = _number(given, "segmentIndex", 10**9)
    return CaptionAsset(
        id=asset,
        form=Form.PLAYLIST if segment is None else Form.SEGMENT,
        version=version,
        duration=_number(given, "segmentDuration", _LONGEST) or DEFAULT_DURATION,
        segment=segment or 0,
    )


def _number(given: dict[str, str], name: str, most: int) -> int | None:
    if not given.get(name):
        return None
    if not _NUMBER.fullmatch(given[name]) or int(given[name]) > most:
        raise Refused(Number.INVALID_PARAMETER, name)
    return int(given[name])
