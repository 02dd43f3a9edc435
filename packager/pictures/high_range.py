"""High dynamic range to what a JPEG shows: BT.2100 PQ and HLG to sRGB, on small pictures."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

_PQ, _HLG = 16, 18
"""TransferCharacteristics of ISO/IEC 23091-2."""

_WHITE = 203.0
"""cd/m², of diffuse white (ITU-R BT.2408)."""

_PEAK = 1000.0
"""cd/m² that become the brightest of the JPEG."""

_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
"""BT.2020 primaries to BT.709, linear (ITU-R BT.2087)."""


def is_high_range(transfer: int) -> bool:
    return transfer in (_PQ, _HLG)


def standard(rgb: npt.NDArray[np.uint16], transfer: int) -> npt.NDArray[np.uint8]:
    """*rgb* of BT.2020 primaries as sRGB.  Brightness is rolled off towards ``_PEAK`` by the
    largest component, so that hues stay."""
    linear = _linear(transfer)[rgb] @ _TO_709.T
    np.maximum(linear, 0, out=linear)
    most = np.maximum(linear.max(axis=2, keepdims=True), 1e-6)
    peak = np.float32(_PEAK / _WHITE)
    # Reinhard's curve with a white point: linear where it is dark, 1 at the peak.
    linear *= np.minimum((1 + most / peak**2) / (1 + most), 1 / most)
    return _srgb()[(linear * 4095 + 0.5).clip(0, 4095).astype(np.uint16)]


@lru_cache(maxsize=2)
def _linear(transfer: int) -> npt.NDArray[np.float32]:
    """In units of diffuse white, by code value (ITU-R BT.2100 tables 4 and 5)."""
    code = np.arange(65536) / 65535
    if transfer == _PQ:
        root = code ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light = 10_000 * ratio ** (1 / 0.1593017578125)
    else:
        low = code**2 / 3
        high = (np.exp((np.maximum(code, 0.5) - 0.55991073) / 0.17883277) + 0.28466892) / 12
        light = _PEAK * np.where(code <= 0.5, low, high) ** 1.2
    return (light / _WHITE).astype(np.float32)


@lru_cache(maxsize=1)
def _srgb() -> npt.NDArray[np.uint8]:
    """By linear light in 4096 steps (IEC 61966-2-1)."""
    light = np.arange(4096) / 4095
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(coded * 255).astype(np.uint8)
