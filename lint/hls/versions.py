"""EXT-X-VERSION against what a playlist uses: the version table, RFC 8216bis §8."""

from lint.findings import Say
from lint.hls.grammar import Playlist, attributes


def _quiet(_check: str, _place: str, _text: str) -> None:
    """Grammar is judged elsewhere."""


def check_version(playlist: Playlist, say: Say) -> None:
    """The version is at least what the tags need."""
    needed, why = needs(playlist)
    if playlist.version < needed:
        place = (playlist.tags("EXT-X-VERSION") or playlist.lines[:1])[0].place
        say("P-01.version", place, f"{playlist.version}, {why} needs {needed}")


def needs(playlist: Playlist) -> tuple[int, str]:
    """The least version, and the tag that asks for it."""
    found = [(1, "nothing")]
    i_frames = bool(playlist.tags("EXT-X-I-FRAMES-ONLY"))
    for line in playlist.lines:
        match line.tag:
            case "EXTINF" if "." in line.value.partition(",")[0]:
                found.append((3, "EXTINF with decimals"))
            case "EXT-X-BYTERANGE" | "EXT-X-I-FRAMES-ONLY":
                found.append((4, line.tag))
            case "EXT-X-MAP":
                found.append((5 if i_frames else 6, line.tag))
            case "EXT-X-DEFINE":
                queried = "QUERYPARAM" in attributes(line, _quiet)
                found.append((11 if queried else 8, line.tag))
            case "EXT-X-SKIP":
                removed = "RECENTLY-REMOVED-DATERANGES" in attributes(line, _quiet)
                found.append((10 if removed else 9, line.tag))
            case "EXT-X-KEY":
                names = attributes(line, _quiet)
                if "IV" in names:
                    found.append((2, "IV"))
                if {"KEYFORMAT", "KEYFORMATVERSIONS"} & set(names):
                    found.append((5, "KEYFORMAT"))
                if "METHOD" in names and names["METHOD"].text.startswith("SAMPLE-AES"):
                    found.append((5, "SAMPLE-AES"))
            case "EXT-X-STREAM-INF":
                if any(name.startswith("REQ-") for name in attributes(line, _quiet)):
                    found.append((12, "REQ-"))
            case _:
                pass
    return max(found)
