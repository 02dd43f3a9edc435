"""What the header of a flavor index says of a codec: JSON facts, with bytes in hexadecimal.

H.264 and AAC have keys of their own, for tokens are made of these facts.
"""

from fractions import Fraction
from functools import lru_cache
from typing import Any

from packager.codecs.aac import AacConfig, parse_asc
from packager.codecs.carried import CarriedAudio, CarriedVideo
from packager.codecs.dolby_vision import DolbyVision
from packager.codecs.h264 import AvcConfig, Colour, parse_avcc
from packager.codecs.hevc import HevcConfig, parse_hvcc
from packager.tracks import AudioFormat, VideoFormat


def format_facts(form: VideoFormat | AudioFormat) -> dict[str, Any]:
    if isinstance(form, AudioFormat):
        return _audio_facts(form)
    colour = form.colour
    facts = {
        **_config_facts(form.config),
        "size": [form.width, form.height],
        "aspect": [form.pixel_aspect.numerator, form.pixel_aspect.denominator],
        "colour": colour
        and [colour.primaries, colour.transfer, colour.matrix, colour.full_range],
        "matrix": form.matrix.hex(),
    }
    if form.boxes:
        facts["boxes"] = [[name.decode("ascii"), data.hex()] for name, data in form.boxes]
    if (vision := form.dolby_vision) is not None:
        entry = vision.entry and vision.entry.decode("ascii")
        facts["dolby_vision"] = [vision.box.decode("ascii"), vision.record.hex(), entry]
    return facts


def _config_facts(config: AvcConfig | HevcConfig | CarriedVideo) -> dict[str, Any]:
    match config:
        case AvcConfig():
            return {"avcc": config.record.hex()}
        case HevcConfig():
            return {"hvcc": config.record.hex()}
    return {"carried": _carried_facts(config)}


def _carried_facts(config: CarriedVideo | CarriedAudio) -> list[Any]:
    names = [config.entry.decode("ascii"), config.box.decode("ascii")]
    return [*names, config.record.hex(), config.codec]


def _audio_facts(form: AudioFormat) -> dict[str, Any]:
    config = form.config
    if isinstance(config, AacConfig):
        return {"asc": config.record.hex(), "oti": config.object_type_indication}
    numbers = [config.sample_rate, config.channels, config.sample_bits, config.joc]
    return {"audio": [*_carried_facts(config), *numbers]}


def parse_format(facts: dict[str, Any]) -> VideoFormat | AudioFormat:
    """Raises ``ValueError``, ``KeyError`` or ``TypeError`` for facts of another shape."""
    if "asc" in facts:
        return AudioFormat(_aac(facts["asc"], int(facts["oti"])))
    if "audio" in facts:
        entry, name, record, codec, *numbers = facts["audio"]
        names = entry.encode("ascii"), name.encode("ascii")
        return AudioFormat(
            CarriedAudio(*names, bytes.fromhex(record), str(codec), *map(int, numbers))
        )
    colour = facts["colour"]
    width, height = facts["size"]
    vision = facts.get("dolby_vision")
    return VideoFormat(
        _parse_config(facts),
        int(width),
        int(height),
        Fraction(*facts["aspect"]),
        colour and Colour(*colour),
        bytes.fromhex(facts["matrix"]),
        tuple((n.encode("ascii"), bytes.fromhex(data)) for n, data in facts.get("boxes", ())),
        vision and _parse_dolby_vision(*vision),
    )


def _parse_config(facts: dict[str, Any]) -> AvcConfig | HevcConfig | CarriedVideo:
    if "avcc" in facts:
        return _avc(facts["avcc"])
    if "hvcc" in facts:
        return _hevc(facts["hvcc"])
    entry, name, record, codec = facts["carried"]
    return CarriedVideo(
        entry.encode("ascii"), name.encode("ascii"), bytes.fromhex(record), str(codec)
    )


# Files of one encoder have the same few configurations: each is parsed, and in memory, once.


@lru_cache(maxsize=128)
def _avc(record: str) -> AvcConfig:
    return parse_avcc(bytes.fromhex(record))


@lru_cache(maxsize=128)
def _hevc(record: str) -> HevcConfig:
    return parse_hvcc(bytes.fromhex(record))


@lru_cache(maxsize=128)
def _aac(record: str, object_type_indication: int) -> AacConfig:
    return parse_asc(bytes.fromhex(record), object_type_indication)


def _parse_dolby_vision(name: str, record: str, entry: str | None) -> DolbyVision:
    return DolbyVision(
        name.encode("ascii"), bytes.fromhex(record), entry.encode("ascii") if entry else None
    )
