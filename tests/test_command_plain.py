"""What starts a server without the library that parses command lines, and means the same."""

from pathlib import Path
from typing import Any

import pytest

import headrace
import headrace_commands

_EDGE = ("edge", "--upstream", "http://o:1")

PLAIN: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "origin": (("origin",), {}),
    "numbers": (("origin", "--port", "0", "--workers=256", "--open-files", "007"), {}),
    "sizes": (("origin", "--index-cache", "1g", "--plan-cache=64"), {}),
    "paths": (("origin", "--data", "a//b/", "--local-root=/", "--players", "no/such"), {}),
    "several": (("origin", "--object-store", "s3://a", "--object-store", "s3://b c"), {}),
    "pictures": (("origin", "--picture-processes=0", "--thumb-exact", "--thumb-sheets"), {}),
    "flags": (("origin", "--sendfile", "--remote-private", "--page-entry", "0_x"), {}),
    "another =": (("origin", "--page-entry=a=b"), {}),
    "origin's variables": (
        ("origin",),
        {
            "HEADRACE_ORIGIN_PORT": "1",
            "HEADRACE_ORIGIN_DATA": "x",
            "HEADRACE_ORIGIN_INDEX_CACHE": "1M",
            "HEADRACE_ORIGIN_REMOTE_HOST": " a:1  b ",
            "HEADRACE_EDGE_PORT": "2",
        },
    ),
    "both": (("origin", "--port", "1"), {"HEADRACE_ORIGIN_PORT": "2"}),
    "edge": (_EDGE, {}),
    "edge's variables": (
        ("edge",),
        {
            "HEADRACE_EDGE_UPSTREAM": "http://a http://b",
            "HEADRACE_EDGE_NEGATIVE_TTL": "404=5,410=0.5 503=1",
            "HEADRACE_EDGE_HEURISTIC": "0.1",
            "HEADRACE_EDGE_EARLY_REFRESH": "0",
        },
    ),
    "ttls": ((*_EDGE, "--negative-ttl", "404=5, 410=0.5", "--negative-ttl=503=1"), {}),
    "floats": ((*_EDGE, "--heuristic", "0.25", "--stale-if-unreachable", "10"), {}),
    "a file": ((*_EDGE, "--upstream-ca", __file__, "--admin-token-file", "t"), {}),
    "words": ((*_EDGE, "--node-id", "n", "--forwarded", "none", "--health", "/x"), {}),
    "more flags": (
        (*_EDGE, "--purge-method", "--store-set-cookie", "--cache-status-key"),
        {},
    ),
}


@pytest.mark.parametrize(("words", "variables"), PLAIN.values(), ids=PLAIN)
def test_what_is_plain_means_what_the_library_says(
    words: tuple[str, ...], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    plain = headrace._plain_options(words)
    assert plain is not None
    assert _typed(plain) == _typed(_parsed(words, monkeypatch))


LOOKED_AT: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "nothing": ((), {}),
    "another command": (("demo", "--port", "1"), {}),
    "help": (("origin", "--help"), {}),
    "no option": (("origin", "--prot", "1"), {}),
    "shortened": (("origin", "--por", "1"), {}),
    "left over": (("origin", "here"), {}),
    "end of options": (("origin", "--"), {}),
    "no value": (("origin", "--port"), {}),
    "empty": (("origin", "--page-entry", ""), {}),
    "an option for a value": (("origin", "--data", "--sendfile"), {}),
    "standard input": (("origin", "--data", "-"), {}),
    "a flag with a value": (("origin", "--sendfile=1"), {}),
    "a flag twice": (("origin", "--sendfile", "--sendfile"), {}),
    "a value twice": (("origin", "--port", "1", "--port", "2"), {}),
    "no number": (("origin", "--port", "x"), {}),
    "a sign": (("origin", "--port", "+1"), {}),
    "a low line": (("origin", "--port", "1_0"), {}),
    "other digits": (("origin", "--port", "٣"), {}),
    "no port": (("origin", "--port", "65536"), {}),
    "no worker": (("origin", "--workers", "0"), {}),
    "no size": (("origin", "--index-cache", "1T"), {}),
    "no folder": (("origin", "--local-root", "no/such"), {}),
    "a file for a folder": (("origin", "--local-root", __file__), {}),
    "a folder for a file": ((*_EDGE, "--upstream-ca", "/"), {}),
    "no upstream": (("edge",), {}),
    "an exponent": ((*_EDGE, "--heuristic", "1e-1"), {}),
    "no seconds": ((*_EDGE, "--negative-ttl", "404"), {}),
    "beyond ASCII": (("origin", "--page-entry", "é"), {}),
    "a flag's variable": (("origin",), {"HEADRACE_ORIGIN_SENDFILE": "1"}),
    "an empty variable": (("origin",), {"HEADRACE_ORIGIN_PORT": ""}),
    "a blank variable": (("edge",), {"HEADRACE_EDGE_UPSTREAM": " "}),
    "a wrong variable": (("origin",), {"HEADRACE_ORIGIN_ADMIN_PORT": "x"}),
}


@pytest.mark.parametrize(("words", "variables"), LOOKED_AT.values(), ids=LOOKED_AT)
def test_the_library_looks_at_all_else(
    words: tuple[str, ...], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert headrace._plain_options(words) is None


def test_what_may_not_be_read_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    below = str(tmp_path / "loop" / "x")
    assert headrace._plain_options((*_EDGE, "--upstream-ca", below)) is None


def _parsed(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the library makes of *words*."""
    made: dict[str, Any] = {}

    def start_server(server: str, options: dict[str, Any]) -> int:
        assert server == words[0]
        made.update(options)
        return 0

    monkeypatch.setattr(headrace_commands, "start_server", start_server)
    assert headrace_commands.invoke(list(words)) == 0
    return made


def _typed(options: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    """1 is not 1.0 here."""
    return {name: (type(value), value) for name, value in options.items()}
