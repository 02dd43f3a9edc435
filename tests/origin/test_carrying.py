"""What a protocol does not carry is left out of its manifests, over HTTP (P-09)."""

import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import m3u8
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from tests.origin.inside import Origin

Start = Callable[..., Origin]


def web_film(path: Path, *, sound: bool) -> None:
    """A second of VP8, with or without Opus."""
    with av.open(str(path), "w", "webm") as container:
        video = container.add_stream("libvpx", rate=25, options={"deadline": "realtime"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        audio = container.add_stream("libopus", rate=48_000) if sound else None
        for number in range(25):
            picture = np.full((135, 160), 4 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
            if audio is not None:
                assert isinstance(audio, AudioStream)
                tone = np.full((1, 2 * 1920), number, np.int16)
                piece = av.AudioFrame.from_ndarray(tone, "s16", "stereo")
                piece.sample_rate, piece.pts = 48_000, 1920 * number
                container.mux(audio.encode(piece))
        container.mux(video.encode())
        if audio is not None:
            container.mux(audio.encode())


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def test_vp8_is_in_dash_alone(
    media: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    web_film(media / "both.webm", sound=True)
    origin = start()
    with caplog.at_level(logging.WARNING, "origin"):
        for folder in ("hls", "hls/container/fmp4", "cmaf"):
            path = f"/{folder}/local/both.webm"
            playlist = m3u8.loads(origin.text(f"{path}/master.m3u8"))
            assert [one.stream_info.codecs for one in playlist.playlists] == ["Opus"]
            names = origin.media_names(f"{path}/{playlist.playlists[0].uri}")
            assert all(origin.get(name) for name in names)
        for folder in ("dash", "cmaf"):
            text = origin.text(f"/{folder}/local/both.webm/manifest.mpd")
            assert 'codecs="vp08.' in text and 'codecs="Opus"' in text
        origin.text("/cmaf/local/both.webm/master.m3u8?again")
    said = [one.getMessage() for one in caplog.records if "left out" in one.getMessage()]
    assert len(said) == len(set(said)) == 1
    assert said[0].startswith("left out of HLS: local/both.webm f1-v1 (")
    assert said[0].endswith("VP8 is in DASH alone")


@pytest.mark.parametrize("folder", ["hls", "hls/container/fmp4", "cmaf"])
def test_nothing_is_left(media: Path, start: Start, folder: str) -> None:
    web_film(media / "silent.webm", sound=False)
    origin = start()
    for name in ("master.m3u8", "index-f1-v1.m3u8"):
        answer = origin.ask(f"/{folder}/local/silent.webm/{name}")
        assert answer.status == 502
        reason = answer.headers["x-headrace-error"]
        assert reason.startswith("HLS: vp08.") and reason.endswith(": VP8 is in DASH alone")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.body.decode() == f"{reason}\n"
    assert "vp08." in origin.text("/dash/local/silent.webm/manifest.mpd")
