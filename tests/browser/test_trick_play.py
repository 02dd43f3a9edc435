"""Fast forward in Shaka Player: by key frames alone."""

from tests.browser.conftest import NODE_MODULES, Library, Script
from tests.support.processes import running


def test_eight_times_as_fast(library: Library, script: Script) -> None:
    options = ("--page-entry", library.entry, "--players", NODE_MODULES)
    with running("origin", "--data", library.data, "--port", "0", *options) as origin:
        found = script("trick.mjs", origin.url, library.entry)
    assert found["errors"] == []
    assert found["rate"] == 8
    assert len(found["keys"]) > 1 and found["width"]
    assert found["to"] >= 0.8 * found["duration"]
    assert (
        found["seconds"] < (found["to"] - found["from"]) / 2
    )  # faster than twice at the least
