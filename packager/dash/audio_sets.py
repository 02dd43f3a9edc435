"""Audio as AdaptationSets (ISO/IEC 23009-1 §5.3.3; D-08)."""

from collections.abc import Callable, Iterable, Sequence

from packager.codecs.channel_layouts import ChannelLayout
from packager.dash.element import Attributes, element, text_element
from packager.dash.language import xml_language
from packager.dash.role import Role, role
from packager.presentation import AudioRendition

_CODE_POINTS = "urn:mpeg:mpegB:cicp:ChannelConfiguration"


def audio_sets(audio: Iterable[AudioRendition]) -> list[tuple[AudioRendition, ...]]:
    """One set for each choice, layout of channels and codec, in the order of listing."""
    sets: dict[object, list[AudioRendition]] = {}
    for one in audio:
        kind = one.choice, one.channels, one.layout, one.codec, one.joc
        sets.setdefault(kind, []).append(one)
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
        *_channel_configurations(one.layout),
        *_joint_objects(one.joc),
        *([text_element("Label", one.label)] if one.label else []),
        role(meant_as),
        *(_representation(member, template(member)) for member in members),
    )


def _channel_configurations(layout: ChannelLayout) -> list[str]:
    """The codec's own scheme, then the code point: players that heed one alone heed the last.
    Nothing where neither knows the layout."""
    said = [layout.registered] if layout.registered else []
    if layout.code_point is not None:
        said.append((_CODE_POINTS, str(layout.code_point)))
    return [
        element("AudioChannelConfiguration", {"schemeIdUri": scheme, "value": value})
        for scheme, value in said
    ]


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
