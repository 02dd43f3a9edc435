"""The manifest hook: what it may do, what is refused, and the example as it is installed."""

import threading
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from origin.config import OriginConfig
from origin.errors import HookFailed
from origin.filters import listings
from origin.filters.hook import (
    GROUP,
    ManifestHook,
    ManifestRequest,
    NamedHook,
    UnknownHook,
    load_hook,
)
from packager.presentation import Bitrate, Presentation, TextRendition
from tests.origin.inside import running as inside
from tests.packager.hls.presentations import LADDER, line
from tests.support.clips import make_clip
from tests.support.http import get
from tests.support.processes import headrace, running
from tests.support.waiting import until

EXAMPLE = Path(__file__).parents[3] / "examples" / "manifest_hook"
REQUEST = ManifestRequest("hls", "master.m3u8", "e/0_abcd1234", "0_abcd1234", "", None)
TEXT = TextRendition(track=1, timeline=line([6000]), bitrate=Bitrate(1, 1), bandwidth=1)
GIVEN = replace(LADDER, text=(TEXT,))


def edited(function: Callable[[Presentation], Any]) -> Presentation:
    return NamedHook("mine", lambda given, _: function(given)).edited(GIVEN, REQUEST)


def first(given: Presentation, **changes: Any) -> Presentation:
    """With the first audio changed."""
    return replace(given, audio=(replace(given.audio[0], **changes), *given.audio[1:]))


MAY: dict[str, Callable[[Presentation], Presentation]] = {
    "nothing": lambda given: given,
    "drop": lambda given: replace(given, video=given.video[:1], text=()),
    "only sound": lambda given: replace(given, video=()),
    "reorder": lambda given: replace(given, video=given.video[::-1]),
    "rename": lambda given: first(given, label="Director"),
    "take a label away": lambda given: first(given, label=None),
    "language": lambda given: first(given, language="en-GB"),
    "no default": lambda given: first(given, default=False),
}


@pytest.mark.parametrize("function", MAY.values(), ids=MAY)
def test_what_it_may_do(function: Callable[[Presentation], Presentation]) -> None:
    assert edited(function) == function(GIVEN)


def fail(_: Presentation) -> Presentation:
    raise ZeroDivisionError("secret")


MUST_NOT: dict[str, tuple[Callable[[Presentation], Any], str]] = {
    "raise": (fail, "ZeroDivisionError: secret"),
    "return nothing": (lambda _: None, "returned NoneType, not a Presentation"),
    "no tuple of names": (lambda given: replace(given, video=([],)), "'None' was not given"),
    "a list": (lambda given: replace(given, video=list(given.video)), "video is no tuple"),
    "junk": (lambda given: replace(given, video=(1, 2)), "listed twice"),
    "half a default": (lambda given: first(given, default="x"), "not True or False"),
    "one junk": (lambda given: replace(given, video=(1,)), "'None' was not given"),
    "twice": (lambda given: replace(given, video=given.video[:1] * 2), "listed twice"),
    "nothing left": (lambda given: replace(given, video=(), audio=()), "neither video nor"),
    "another track": (lambda given: first(given, track=7), "'f1-a7' was not given"),
    "codec": (lambda given: first(given, codec="ec-3"), "more than label"),
    "bit rate": (lambda given: first(given, bitrate=Bitrate(1, 1)), "more than label"),
    "timeline": (lambda given: first(given, timeline=line([1])), "more than label"),
    "aligned": (lambda given: replace(given, aligned=False), "aligned was changed"),
    "a video as audio": (
        lambda given: replace(given, audio=given.video), "'f1-v1' was not given",
    ),
    "two defaults": (
        lambda given: replace(
            given, audio=tuple(replace(one, default=True) for one in given.audio)
        ),
        "more than one default",
    ),
    "label of bytes": (lambda given: first(given, label=b"x"), "label is no text"),
    "label of lines": (lambda given: first(given, label="a\nb"), "label is no text"),
    "long label": (lambda given: first(given, label="x" * 201), "label is no text"),
    "language": (lambda given: first(given, language="x y"), "not BCP 47"),
    "default": (lambda given: first(given, default=2), "not True or False"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "why"), MUST_NOT.values(), ids=MUST_NOT)
def test_what_is_refused(
    function: Callable[[Presentation], Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(HookFailed) as failed:
        edited(function)
    assert str(failed.value).startswith("the manifest hook mine")
    assert "secret" not in str(failed.value) and why in caplog.text


def test_a_hook_that_is_not_installed() -> None:
    with pytest.raises(UnknownHook, match="manifest_hook: nobodys is not installed"):
        load_hook("nobodys")


def install(folder: Path, name: str, target: str) -> dict[str, str]:
    """Environment in which a distribution offers *target*."""
    info = folder / "offered-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offered\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {target}\n")
    return {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hooked")
    files = [
        make_clip(folder / f"{width}.mp4", width=width, height=height, seconds=4)
        for width, height in ((96, 54), (1344, 756))
    ]
    done = headrace("ingest", *files, "--entry", "0_abcd1234", "--data", folder / "data")
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "data"


def test_the_example_as_it_is_installed(data: Path, tmp_path: Path) -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())
    [(name, target)] = project["project"]["entry-points"][GROUP].items()
    [module] = project["tool"]["setuptools"]["py-modules"]
    assert target.startswith(f"{module}:")
    env = install(tmp_path, name, target)
    env["PYTHONPATH"] += f":{EXAMPLE}"
    options = ("--data", data, "--port", "0", "--manifest-hook", name)
    with running("origin", *options, env=env) as origin:
        whole = get(f"{origin.url}/cmaf/e/0_abcd1234/manifest.mpd").body.decode()
        low = get(f"{origin.url}/dash/e/0_abcd1234/manifest.mpd").body.decode()
        for text, video in ((whole, ["f1-v1", "f2-v1"]), (low, ["f1-v1"])):
            assert [one for one in ("f1-v1", "f2-v1") if f'id="{one}"' in text] == video
        master = f"{origin.url}/p/101/playManifest/entryId/0_abcd1234/format/applehttp/a.m3u8"
        assert get(master).body.count(b"#EXT-X-STREAM-INF") == 2


HOOKS = """
import time
from dataclasses import replace

def wrong(given, request):
    raise RuntimeError("a secret of the operator's")

def lowest(given, request):
    assert request.filter in ("", "video_height:1-100"), request
    return replace(given, video=given.video[:1])

def never(given, request):
    while True:
        time.sleep(3600)
"""


def served(data: Path, tmp_path: Path, function: str, **env: str) -> Any:
    (tmp_path / "hooks.py").write_text(HOOKS)
    env |= install(tmp_path, "mine", f"hooks:{function}")
    options = ("--data", data, "--port", "0", "--manifest-hook", "mine")
    return running("origin", *options, env=env)


E = "e/0_abcd1234"
MANIFESTS = (
    f"/hls/{E}/master.m3u8", f"/hls/container/fmp4/{E}/master.m3u8", f"/cmaf/{E}/master.m3u8",
    f"/cmaf/{E}/manifest.mpd", f"/dash/{E}/manifest.mpd",
    "/p/101/playManifest/entryId/0_abcd1234/format/applehttp/a.m3u8",
    f"/dash/{E}/filter/video_height:1-100/manifest.mpd",
)  # fmt: skip


def test_a_hook_has_a_part_in_every_manifest(data: Path, tmp_path: Path) -> None:
    with served(data, tmp_path, "lowest") as origin:
        for url in MANIFESTS:
            text = get(origin.url + url).body.decode()
            assert "f1-v1" in text and "f2-v1" not in text, url
        # what is not listed is there all the same: a hook is no guard
        assert get(f"{origin.url}/hls/{E}/index-f2-v1-a1.m3u8").status == 200


def test_a_hook_that_fails_is_500_and_says_nothing_to_the_client(
    data: Path, tmp_path: Path
) -> None:
    with served(data, tmp_path, "wrong") as origin:
        for url in MANIFESTS:
            answer = get(origin.url + url)
            assert (answer.status, answer.headers["cache-control"]) == (500, "no-store")
            assert answer.headers["x-headrace-error"] == "the manifest hook mine failed"
            assert b"secret" not in answer.body and b"Traceback" not in answer.body
        assert get(f"{origin.url}/hls/{E}/index-f1-v1-a1.m3u8").status == 200
        until(lambda: "a secret of the operator's" in origin.stderr())


def test_a_hook_that_never_returns_holds_up_manifests_only(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(listings, "PATIENCE", 0.2)

    def never(given: Presentation, request: ManifestRequest) -> Presentation:
        release.wait()
        return given

    hook: ManifestHook = never
    with inside(OriginConfig(data=data)) as origin:
        found = listings.Listings(origin.catalog.listings._sets, NamedHook("slow", hook))
        origin.catalog.listings = found
        try:
            for number in range(1, 8):  # more than there are threads for it
                answer = origin.ask(f"/hls/{E}/master-f1-f{number + 1}.m3u8")
                assert answer.status == 500 and "no answer in 0.2 s" in str(answer.headers)
                assert origin.ask(f"/cmaf/{E}/index-f{1 + number % 2}-v1.m3u8").status == 200
        finally:
            release.set()
