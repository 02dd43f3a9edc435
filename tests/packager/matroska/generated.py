"""What FFmpeg writes as Matroska and WebM."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 7
PICTURES = f"-f lavfi -i testsrc2=s=160x90:r=RATE:d={SECONDS}"
SOUND = f"-f lavfi -i sine=f=440:d={SECONDS}:r=48000"
AVC = "-c:v libx264 -preset veryfast"
HEVC = "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25:bframes=3"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25"
VP8 = "-c:v libvpx -deadline realtime -cpu-used 8 -g 25"
AV1 = "-c:v libaom-av1 -cpu-used 8 -row-mt 1 -b:v 100k -g 25"
VARIABLE = "-vf select=lt(mod(n\\,3)\\,2) -fps_mode vfr"
ALL = "-map 0 -map 1 -map 2"
LANGUAGES = "-metadata:s:a:0 language=ger -metadata:s:a:1 language=fre"
RECORDED = "-f webm -live 1"
"""As MediaRecorder writes: sizes of Segment and clusters, Duration and Cues are not there."""

# Name: arguments of ffmpeg, frames per second, and the codec strings that come of it.
FILES = {
    "avc_aac.mkv": (
        f"{PICTURES} {SOUND} {AVC} -bf 3 -g 25 -c:a aac", "25",
        ["avc1.64000b", "mp4a.40.2"],
    ),
    "avc_23.976.mkv": (
        f"{PICTURES} {AVC} -bf 2 -g 24", "24000/1001", ["avc1.64000a"]
    ),
    "avc_ac3.mkv": (
        f"{PICTURES} {SOUND} {AVC} -bf 2 -g 25 -c:a ac3", "50", ["avc1.64000b", "ac-3"]
    ),
    "hevc_aac.mkv": (
        f"{PICTURES} {SOUND} {HEVC} -c:a aac", "25", ["hvc1.1.6.L30.90", "mp4a.40.2"]
    ),
    "vp9_opus.webm": (
        f"{PICTURES} {SOUND} {VP9} -c:a libopus", "30000/1001", ["vp09.00.10.08", "Opus"]
    ),
    "vp8_opus.webm": (
        f"{PICTURES} {SOUND} {VP8} -c:a libopus", "25", ["vp08.00.10.08", "Opus"]
    ),
    "av1_opus.webm": (
        f"{PICTURES} {SOUND} {AV1} -c:a libopus", "25", ["av01.0.00M.08", "Opus"]
    ),
    "recorded.webm": (
        f"{PICTURES} {SOUND} {VP9} -c:a libopus {RECORDED}", "25", ["vp09.00.10.08", "Opus"]
    ),
    "late_sound.mkv": (
        f"{PICTURES} -itsoffset 1.5 {SOUND} {AVC} -bf 2 -g 25 -c:a aac", "25",
        ["avc1.64000b", "mp4a.40.2"],
    ),
    "late_pictures.mkv": (
        f"{SOUND} -itsoffset 0.7 {PICTURES} {AVC} -bf 2 -g 25 -c:a aac", "25",
        ["avc1.64000b", "mp4a.40.2"],
    ),
    "variable_rate.mkv": (
        f"{PICTURES} {SOUND} {VARIABLE} {AVC} -bf 2 -g 12 -c:a aac", "30",
        ["avc1.64000b", "mp4a.40.2"],
    ),
    "languages.mkv": (
        f"{PICTURES} {SOUND} {SOUND} {ALL} {AVC} -c:a aac -c:a:1 libopus {LANGUAGES}", "25",
        ["avc1.64000b", "mp4a.40.2", "Opus"],
    ),
    "flac.mkv": (f"{SOUND} -c:a flac", "", ["fLaC"]),
    "ac3.mkv": (f"{SOUND} -c:a ac3", "", ["ac-3"]),
    "eac3.mkv": (f"{SOUND} -c:a eac3", "", ["ec-3"]),
    "mp3.mkv": (f"{SOUND} -c:a libmp3lame", "", ["mp4a.6B"]),
    "alac.mkv": (f"{SOUND} -c:a alac", "", ["alac"]),
    "aac_44100.mkv": (
        f"{SOUND} -ar 44100 -ac 2 -c:a aac", "", ["mp4a.40.2"]
    ),
}  # fmt: skip
LEFT_OUT = {
    "pcm.mkv": (f"{SOUND} -c:a pcm_s16le", "track 1: CodecID: codec 'A_PCM/INT/LIT'"),
    "vorbis.webm": (
        f"{SOUND} -ac 2 -strict -2 -c:a vorbis", "track 1: CodecID: codec 'A_VORBIS'"
    ),
    "mpeg2.mkv": (
        f"{PICTURES} -c:v mpeg2video".replace("RATE", "25"),
        "track 1: CodecID: codec 'V_MPEG2'",
    ),
}  # fmt: skip
"""Arguments, and the reason."""


@cache
def made(name: str) -> bytes:
    if name in LEFT_OUT:
        arguments = LEFT_OUT[name][0]
    else:
        arguments = FILES[name][0].replace("RATE", FILES[name][1])
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        # What goes to a pipe cannot be gone back to.
        target = "pipe:1" if RECORDED in arguments else str(path)
        done = subprocess.run(
            ["ffmpeg", "-v", "error", *arguments.split(), target],
            check=True, timeout=60, capture_output=True,
        )  # fmt: skip
        return done.stdout or path.read_bytes()
