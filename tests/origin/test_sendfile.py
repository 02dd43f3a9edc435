"""``sendfile``: the same bytes on another way."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from origin import server
from origin.storage.local import LocalFile
from tests.origin.inside import Origin
from tests.support.http import Cut
from tests.support.waiting import until

Start = Callable[..., Origin]
PLAYLIST = "/cmaf/local/c.mp4/index-f1-v1.m3u8"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each ``os.sendfile``; runs of any length take this way."""
    sizes: list[int] = []
    real = os.sendfile

    def counted(out: int, file: int, offset: int, size: int) -> int:
        sizes.append(real(out, file, offset, size))
        return sizes[-1]

    monkeypatch.setattr(os, "sendfile", counted)
    monkeypatch.setattr(server, "_STRAIGHT", 300)
    return sizes


def test_the_same_bytes(files: list[Path], start: Start, sent: list[int]) -> None:
    plain, straight = start(), start(sendfile=True)
    for name in plain.media_names(PLAYLIST)[1:]:
        body = plain.get(name)
        assert straight.get(name) == body
        part = straight.ask(name, f"Range: bytes=700-{len(body) - 50}")
        assert (part.status, part.body) == (206, body[700:-49])
    assert sum(sent) > 10_000


def test_what_is_not_in_the_page_cache_is_read_first(
    files: list[Path], start: Start, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, straight = start(), start(sendfile=True)
    monkeypatch.setattr(LocalFile, "sendable", lambda self, offset, size: None)
    for name in plain.media_names(PLAYLIST):
        assert straight.get(name) == plain.get(name)
    assert sent == []


def test_a_file_that_is_cut_short_under_a_response(
    files: list[Path], start: Start, sent: list[int]
) -> None:
    origin = start(sendfile=True)
    name = origin.media_names(PLAYLIST)[-1]
    whole = origin.get(name)
    real = LocalFile.sendable

    def truncate(self: LocalFile, offset: int, size: int) -> int | None:
        file = real(self, offset, size)
        os.truncate(files[2], offset + 1)
        return file

    LocalFile.sendable = truncate  # type: ignore[method-assign]
    try:
        with pytest.raises(Cut) as cut:
            origin.ask(name)
    finally:
        LocalFile.sendable = real  # type: ignore[method-assign]
    assert len(cut.value.got) < len(whole)
    until(lambda: any("file" in record.get("reason", "") for record in origin.records))
