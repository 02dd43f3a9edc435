"""The picture: a running time code, the flavor's size, a sweeping bar and a flash.

    +--------------------------------------+
    | grain                        [flash] |   grain: costs bits, so that the bit rates are met
    |          00:00:12:05                 |   flash: in the frames in which the beep sounds
    |            1280x720                  |
    | colour bars            |             |   a bar sweeps the width once a group of pictures
    +--------------------------------------+

Frames are YUV 4:2:0 planes, one array of height * 3/2 rows as PyAV takes it.  Frame *n* of a
size is the same on every machine.
"""

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]

FRAME_RATE = 25
GROUP = 50
"""Frames in a closed group of pictures, 2 s."""

FLASH_FRAMES = 3
_GRAIN_TILES = 16
_BLACK, _WHITE = 16, 235

_COLOUR_BARS = (  # (Y, Cb, Cr), 75 %, BT.709
    (180, 128, 128),
    (168, 44, 136),
    (145, 147, 44),
    (133, 63, 52),
    (63, 193, 204),
    (51, 109, 212),
    (28, 212, 120),
)

_GLYPHS = {  # 5 x 7, a row per number
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    ":": (0, 4, 4, 0, 4, 4, 0),
    "x": (0, 0, 17, 10, 4, 10, 17),
}


def time_code(frame: int) -> str:
    """``HH:MM:SS:FF`` of a frame."""
    seconds, rest = divmod(frame, FRAME_RATE)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{rest:02}"


def flashes(frame: int) -> bool:
    """True for the frames that begin each full second."""
    return frame % FRAME_RATE < FLASH_FRAMES


def text(words: str, scale: int) -> Plane:
    """*words* in white on black, each dot of a glyph *scale* pixels wide."""
    dots = [
        [
            bits >> (5 - column) & 1
            for letter in words
            for bits in [_GLYPHS[letter][row]]
            for column in range(6)
        ]
        for row in range(7)
    ]
    dark_or_bright = np.array([_BLACK, _WHITE], np.uint8)[np.array(dots)]
    return np.repeat(np.repeat(dark_or_bright, scale, axis=0), scale, axis=1)


class Picture:
    """Draws the frames of one flavor."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._still = self._background()
        tile = (height // 4, width * 3 // 4)
        noise = np.random.default_rng(1)
        self._grain = [noise.integers(40, 120, tile, np.uint8) for _ in range(_GRAIN_TILES)]

    def frame(self, number: int) -> Plane:
        picture = self._still.copy()
        luma = picture[: self.height]
        unit = self.height // 24
        grain = self._grain[number * 7 % _GRAIN_TILES]
        luma[unit : unit + grain.shape[0], unit : unit + grain.shape[1]] = grain
        _paste(luma, text(time_code(number), self.height // 60), self.height * 9 // 20)
        if flashes(number):
            luma[unit : 6 * unit, self.width - 6 * unit : self.width - unit] = _WHITE
        left = number % GROUP * (self.width - unit) // GROUP
        luma[self.height * 7 // 8 :, left : left + unit // 2] = _WHITE
        return picture

    def _background(self) -> Plane:
        picture = np.full((self.height * 3 // 2, self.width), 128, np.uint8)
        luma = picture[: self.height]
        luma[:] = np.linspace(24, 64, self.width, dtype=np.uint8)
        chroma = picture[self.height :].reshape(2, self.height // 2, self.width // 2)
        edges = np.linspace(0, self.width // 2, len(_COLOUR_BARS) + 1).astype(int)
        top = self.height * 3 // 8
        for (y, cb, cr), start, stop in zip(_COLOUR_BARS, edges[:-1], edges[1:], strict=True):
            luma[2 * top :, 2 * start : 2 * stop] = y
            chroma[0, top:, start:stop] = cb
            chroma[1, top:, start:stop] = cr
        _paste(luma, text(f"{self.width}x{self.height}", self.height // 120), top * 7 // 4)
        return picture


def _paste(luma: Plane, words: Plane, top: int) -> None:
    """Put *words* in the middle of the width."""
    left = (luma.shape[1] - words.shape[1]) // 2
    luma[top : top + words.shape[0], left : left + words.shape[1]] = words
