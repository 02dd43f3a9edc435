"""What somebody says of a flavor beside its file: a language, a label, declared bit rates.

It changes what manifests say and no byte of media.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from packager.presentation import AudioRendition, Bitrate, VideoRendition


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Of one flavor; None, or 0, where nothing is said."""

    language: str | None = None
    """BCP 47, in place of the file's."""

    label: str | None = None
    default: bool | None = None
    """Of its audio."""

    video: int = 0
    """Bits per second at most, in place of what was measured, as the three below."""

    audio: int = 0
    average_video: int = 0
    average_audio: int = 0


NOTHING = Said()


def said_of_video(said: Said, one: VideoRendition) -> VideoRendition:
    return replace(
        one,
        bitrate=declared(one.bitrate, said.video, said.average_video),
        bandwidth=said.video or one.bandwidth,
    )


def said_of_audio(said: Said, one: AudioRendition) -> AudioRendition:
    return replace(
        one,
        bitrate=declared(one.bitrate, said.audio, said.average_audio),
        bandwidth=said.audio or one.bandwidth,
        language=said.language or one.language,
        label=said.label or one.label,
    )


def default_number(said: Sequence[Said]) -> int:
    """Of several audio renditions, of which that is *said*, the default one, from 0: the first
    that is said to be, else the first that is not said not to be."""
    wanted = [one.default for one in said]
    for wish in (True, None):
        if wish in wanted:
            return wanted.index(wish)
    return 0


def declared_muxed(said: Said, rate: Bitrate, *, video: bool, audio: bool) -> Bitrate:
    """Of a flavor's tracks together: what is said counts where it is said of each of them."""
    peaks = _sum((said.video, video), (said.audio, audio))
    return declared(rate, peaks, _sum((said.average_video, video), (said.average_audio, audio)))


def _sum(*rates: tuple[int, bool]) -> int:
    wanted = [rate for rate, has in rates if has]
    return sum(wanted) if all(wanted) else 0


def declared(rate: Bitrate, peak: int, average: int) -> Bitrate:
    """*rate* with what is declared; a peak below its average would make no sense."""
    mean = average or min(rate.average, peak or rate.average)
    return Bitrate(max(peak or rate.peak, mean), mean)
