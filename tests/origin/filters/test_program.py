"""``headrace filters``: set, list, delete, and what is wrong in one line."""

import json
from pathlib import Path

import pytest

from tests.support.processes import headrace


def test_filters_by_name(tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    done = headrace("filters", "set", "Phone", "VIDEO_HEIGHT:1-480; audio_language:eng", *data)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "phone  -  audio_language:en;video_height:1-480\n"
    assert headrace("filters", "set", "phone", "video_height:1-240", *data).returncode == 0
    listed = headrace("filters", "list", "--json", *data)
    assert json.loads(listed.stdout) == {
        "name": "phone", "partner": None, "rules": "video_height:1-240",
    }  # fmt: skip
    assert headrace("filters", "delete", "phone", *data).returncode == 0
    assert headrace("filters", "list", *data).stdout == ""


REFUSED = {
    "set x donut:1": (2, "filters set: filter: 'donut' is not the name of a rule"),
    "set a/b video_height:1": (2, "filters set: filter: 'a/b' is not the name of a filter set"),
    "set x video_height:1 --partner 7": (1, "filters set: there is no partner 7"),
    "delete x": (1, "filters delete: there is no filter set x"),
    "delete x --partner 7": (1, "filters delete: there is no filter set x of partner 7"),
    "list": (2, "filters list: --data: there is no database"),
}


@pytest.mark.parametrize(("command", "said"), REFUSED.items(), ids=REFUSED)
def test_what_is_wrong(command: str, said: tuple[int, str], tmp_path: Path) -> None:
    done = headrace("filters", *command.split(), "--data", tmp_path)
    assert done.returncode == said[0]
    assert done.stderr.startswith(f"headrace {said[1]}") and done.stderr.count("\n") == 1
