"""The sound: a short tone on each full second over a floor of noise.

Each tenth second has a higher tone.  The noise gives the encoder work, so that the bit rate
is about what a stored flavor has.
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 48_000
BEEP = SAMPLE_RATE * 3 // 25
"""Samples of one tone: as long as the flash."""

_FADE = SAMPLE_RATE // 500  # 2 ms, against clicks
_LOUD, _FLOOR = 0.5, 0.01


def beep(frequency: float) -> npt.NDArray[np.float32]:
    """One tone."""
    tone = _LOUD * np.sin(2 * np.pi * frequency * np.arange(BEEP) / SAMPLE_RATE)
    tone[:_FADE] *= np.linspace(0, 1, _FADE)
    tone[-_FADE:] *= np.linspace(1, 0, _FADE)
    return tone.astype(np.float32)


def sound(samples: int) -> npt.NDArray[np.float32]:
    """Two channels, ``(2, samples)``."""
    noise = np.random.default_rng(2).standard_normal((2, samples), np.float32)
    track = noise * np.float32(_FLOOR)
    tones = [beep(1760 if second % 10 == 0 else 880) for second in range(10)]
    for second, start in enumerate(range(0, samples, SAMPLE_RATE)):
        tone = tones[second % 10][: samples - start]
        track[:, start : start + len(tone)] += tone
    return track
