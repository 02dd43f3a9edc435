"""Audio renditions as HLS groups (RFC 8216 §4.3.4.1.1, rule P-10).

A variant names one group, and a player changes language inside it.  So there is a group for
each codec and channel count, and every group offers every choice: where a language exists in
stereo AAC only, the surround group lends it from there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from packager.hls.multivariant import AudioMedia
from packager.hls.names import UNDETERMINED, names
from packager.presentation import AudioRendition

_MP3 = ("mp4a.69", "mp4a.6B")


@dataclass(frozen=True, slots=True)
class AudioGroup:
    name: str
    members: tuple[AudioRendition, ...]
    """One for each choice, the same choices in the same order in every group."""

    default: AudioRendition
    """The member to play when nobody chooses: the same choice in every group."""

    @property
    def codecs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(member.codec for member in self.members))

    def media(self, uri: Callable[[AudioRendition], str]) -> list[AudioMedia]:
        said = ((member.language, member.label) for member in self.members)
        named = names(said, "Audio")
        # One per language, for a player selects by nothing else here (§4.3.4.1.1).
        selected = {member.language: member for member in reversed(self.members)}
        selected[self.default.language] = self.default
        return [
            AudioMedia(
                group=self.name,
                name=name,
                language=member.language or UNDETERMINED,
                default=member is self.default,
                autoselect=member is selected[member.language],
                channels=member.channels,
                uri=uri(member),
                joc=member.joc,
            )
            for member, name in zip(self.members, named, strict=True)
        ]


def audio_groups(audio: Iterable[AudioRendition]) -> tuple[AudioGroup, ...]:
    """The groups in order of appearance; groups that came out alike are one."""
    listed = tuple(audio)
    choices = dict.fromkeys(one.choice for one in listed)
    main = next((one.choice for one in listed if one.default), None)
    found: dict[tuple[str, ...], AudioGroup] = {}
    for model in dict.fromkeys((one.codec, one.channels) for one in listed):
        members = tuple(
            _closest([one for one in listed if one.choice == choice], model)
            for choice in choices
        )
        default = next((one for one in members if one.choice == main), members[0])
        group = AudioGroup(f"audio-{model[0]}-{model[1]}", members, default)
        found.setdefault(tuple(member.name for member in members), group)
    return tuple(found.values())


def _closest(audio: Iterable[AudioRendition], model: tuple[str, int]) -> AudioRendition:
    codec, channels = model
    return min(
        audio,
        key=lambda one: (
            one.codec != codec,
            family(one.codec) != family(codec),
            abs(one.channels - channels),
        ),
    )


def family(codec: str) -> str:
    """What one decoder takes: AAC of any kind, but MP3 apart from it."""
    return "mp3" if codec in _MP3 else codec.partition(".")[0]
