"""A multivariant playlist as its attributes, all of them (m3u8 loses some)."""

import re
from dataclasses import dataclass

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True)
class Master:
    variants: tuple[dict[str, str], ...]
    """EXT-X-STREAM-INF, and as URI its line."""

    media: tuple[dict[str, str], ...]
    """EXT-X-MEDIA."""

    def sounds(self, variant: dict[str, str]) -> list[dict[str, str]]:
        return [
            one
            for one in self.media
            if one["TYPE"] == "AUDIO" and one["GROUP-ID"] == variant.get("AUDIO")
        ]


def read_master(text: str) -> Master:
    variants, media = [], []
    lines = iter(text.splitlines())
    for line in lines:
        name, _, rest = line.partition(":")
        said = {hit[1]: hit[2].strip('"') for hit in _ATTRIBUTE.finditer(rest)}
        if name == "#EXT-X-STREAM-INF":
            variants.append({**said, "URI": next(lines)})
        elif name == "#EXT-X-MEDIA":
            media.append(said)
    return Master(tuple(variants), tuple(media))
