"""Audio as AdaptationSets (ISO/IEC 23009-1 §5.3.3; D-08)."""

from collections.abc import Callable, Iterable, Sequence

from packager.dash.element import Attributes, element, text_element
from packager.dash.language import xml_language
from packager.dash.role import Role, role
from packager.presentation import AudioRendition

_CHANNEL_CONFIGURATION = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 11, 8: 12, 24: 13}
"""Channel count → index of the usual layout of so many (ISO/IEC 23091-3, table 10): 7 is 6.1,
8 is 7.1 with back channels.  Other counts name no layout, so nothing is said of them."""


def audio_sets(audio: Iterable[AudioRendition]) -> list[tuple[AudioRendition, ...]]:
    """One set for each choice, channel count and codec, in the order of listing."""
    sets: dict[object, list[AudioRendition]] = {}
    for one in audio:
        sets.setdefault((one.choice, one.channels, one.codec, one.joc), []).append(one)
    return [tuple(members) for members in sets.values()]


def purpose(audio: AudioRendition, among: Sequence[AudioRendition]) -> Role:
    """All encodings of the default are main, every other choice is an alternate to it."""
    main = next((one for one in among if one.default), among[0])
    return Role.MAIN if audio.choice == main.choice else Role.ALTERNATE


def audio_set(
    number: int,
    members: tuple[AudioRendition, ...],
    meant_as: Role,
    template: Callable[[AudioRendition], str],
) -> str:
    """AdaptationSet@id *number*; *template* makes a member's SegmentTemplate."""
    one = members[0]
    attributes: Attributes = {
        "id": number,
        "contentType": "audio",
        "mimeType": "audio/mp4",
        "containerProfiles": "cmfc",
        "lang": xml_language(one.language),
        "segmentAlignment": "true",
        "startWithSAP": 1,
    }
    return element(
        "AdaptationSet",
        attributes,
        *_channel_configuration(one.channels),
        *_joint_objects(one.joc),
        *([text_element("Label", one.label)] if one.label else []),
        role(meant_as),
        *(_representation(member, template(member)) for member in members),
    )


def _channel_configuration(channels: int) -> list[str]:
    index = _CHANNEL_CONFIGURATION.get(channels)
    scheme = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
    descriptor: Attributes = {"schemeIdUri": scheme, "value": index}
    return [element("AudioChannelConfiguration", descriptor)] if index else []


def _joint_objects(complexity: int) -> list[str]:
    """ETSI TS 103 420 §D.2: that E-AC-3 has objects, and how many."""
    if not complexity:
        return []
    scheme = "tag:dolby.com,2018:dash:EC3_Extension"
    kinds = (("Type", "JOC"), ("ComplexityIndex", str(complexity)))
    return [
        element("SupplementalProperty", {"schemeIdUri": f"{scheme}{n}:2018", "value": value})
        for n, value in kinds
    ]


def _representation(audio: AudioRendition, template: str) -> str:
    attributes: Attributes = {
        "id": audio.name,
        "codecs": audio.codec,
        "bandwidth": audio.bandwidth,
        "audioSamplingRate": audio.sample_rate,
    }
    return element("Representation", attributes, template)
