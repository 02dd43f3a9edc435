from pathlib import Path

import pytest

from serving.tokens import LIMIT, bears, read_token


def test_the_line_end_is_no_part_of_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"open-sesame\r\n")
    assert read_token(file) == "open-sesame"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"two words", b"two\nlines", b"\xc3\xa9", b"\xff", b"a" * (LIMIT + 1)],
)
def test_what_is_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="not one line of visible ASCII"):
        read_token(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no-file: No such file"):
        read_token(tmp_path / "no-file")


AUTHORIZATIONS = {
    "Bearer sesame": True,
    "bearer  sesame ": True,
    "": False,
    "Bearer": False,
    "Bearer ": False,
    "sesame": False,
    "Basic sesame": False,
    "Bearer sesam": False,
    "Bearer sesame2": False,
    "Bearer s\xe9same": False,
}


@pytest.mark.parametrize(("value", "right"), AUTHORIZATIONS.items(), ids=AUTHORIZATIONS)
def test_only_the_token_itself_is_right(value: str, right: bool) -> None:
    assert bears(value, "sesame") == right
