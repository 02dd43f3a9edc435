"""Codec strings of real files, as RFC 6381 and the codecs' bindings have them."""

from pathlib import Path

import pytest

from packager.tracks import VideoFormat
from tests.packager.carrying import index_of

CODECS = {
    "mediabunny/video-h265.mp4": ["hvc1.1.6.L120.90", "mp4a.40.2"],
    "media3/hlg10-color-test.mp4": ["mp4a.40.2", "hvc1.2.4.L153"],
    "media3/sample_with_colr_mdcv_and_clli.mp4": [
        "av01.0.09M.10.0.110.09.16.09.0",
        "mp4a.40.2",
    ],
    "shaka-packager/bear-640x360-vp9.mp4": ["vp09.00.21.08", "mp4a.40.2"],
    "media3/sample_ac3_aac.mp4": ["ac-3", "mp4a.40.2"],
    "media3/sample_eac3.mp4": ["ec-3"],
    "media3/sample_vvc.mp4": ["vvc1.1.L32.CQA"],
    "media3/sample_opus.mp4": ["Opus"],
    "shaka-packager/bear-flac.mp4": ["fLaC"],
}


@pytest.mark.parametrize("name", CODECS)
def test_codec_strings(name: str, media_dir: Path) -> None:
    tracks = index_of((media_dir / name).read_bytes()).tracks
    assert [one.track.format.codec for one in tracks] == CODECS[name]


def test_dolby_vision_beside_av1(media_dir: Path) -> None:
    data = (media_dir / "shaka-packager/sparks_dovi_10.mp4").read_bytes()
    form = index_of(data).tracks[0].track.format
    assert isinstance(form, VideoFormat)
    assert form.dolby_vision is not None
    assert form.dolby_vision.supplemental_codec == "dav1.10.01/db1p"
