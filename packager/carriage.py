"""Which codecs a protocol carries, in which container.

MPEG-TS holds what our multiplexer writes (rules T-06 and T-07): a format says so itself.  In
fMP4 every sample entry can be written, so what is left out there is what no player of the
protocol could be told to play.  What is left out is left out of manifests; the rest plays.
"""

from collections.abc import Mapping
from enum import StrEnum

from packager.tracks import AudioFormat, VideoFormat


class Carrier(StrEnum):
    HLS_TS = "HLS in MPEG-TS"
    HLS_FMP4 = "HLS"
    DASH = "DASH"


_NOT_IN_HLS: Mapping[str, str] = {
    "vp08": "VP8 is in DASH alone",
    "mp4a.dd": "Vorbis is in DASH alone",
    "mp4a.a9": "DTS without its own sample entry is in DASH alone",
    "mlpa": "TrueHD is in DASH alone",
}
"""By the sample entry, and by the object type where that alone tells.  No codec is registered
for HLS by name; these are those that no HLS client has ever taken."""


def why_not(form: VideoFormat | AudioFormat, carrier: Carrier) -> str | None:
    """Why *carrier* does not carry a track of *form*; None where it does."""
    if carrier is Carrier.DASH:
        return None
    entry, _, rest = form.codec.lower().partition(".")
    known = _NOT_IN_HLS.get(entry) or _NOT_IN_HLS.get(f"{entry}.{rest.partition('.')[0]}")
    if known is not None:
        return f"{form.codec}: {known}"
    if carrier is Carrier.HLS_TS and not form.in_ts:
        return f"{form.codec}: in fMP4 alone"
    return None
