"""AAC frames in ADTS: rule T-07."""

from dataclasses import dataclass

from lint.findings import Say
from lint.isobmff.configs import AAC_RATES


@dataclass(frozen=True, slots=True)
class Adts:
    object_type: int
    rate: int
    channels: int
    frames: int


def read_adts(payload: bytes, place: str, say: Say) -> Adts | None:
    """The frames of one PES packet; None if there is none that can be read."""
    at, frames = 0, 0
    first: Adts | None = None
    while at + 7 <= len(payload):
        head = payload[at : at + 7]
        if head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            say("T-07.sync", place, f"no ADTS sync word at octet {at} of the PES payload")
            return first
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        index = head[2] >> 2 & 15
        if length < 7 or at + length > len(payload):
            text = f"frame of {length} octets, {len(payload) - at} are left"
            say("T-07.length", place, text)
            return first
        frames += 1
        rate = AAC_RATES[index] if index < len(AAC_RATES) else 0
        if not rate:
            say("T-07.rate", place, f"sampling_frequency_index {index}")
            return first
        channels = (head[2] & 1) << 2 | head[3] >> 6
        first = Adts((head[2] >> 6) + 1, rate, channels, frames)
        at += length
    if at != len(payload):
        say("T-07.length", place, f"{len(payload) - at} octets behind the last frame")
    return first
