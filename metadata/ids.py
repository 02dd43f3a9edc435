"""Ids of entries and flavors: ``0_abcd1234``.

The digits before the underscore name the data centre that made the id; the rest is eight of
``0-9a-z``.  That is the form Kaltura mints (delivery contract §2.4), and the only one taken
here: every id stands in URLs as it is, where commas and slashes are grammar.
"""

import re
import secrets
from collections.abc import Callable

from metadata.errors import BadId

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"[0-9]{1,9}_[0-9a-z]{8}")


def new_id(data_centre: int = 0, *, choice: Callable[[str], str] = secrets.choice) -> str:
    """A fresh id; *choice* picks one character of a string."""
    return f"{data_centre}_" + "".join(choice(_ALPHABET) for _ in range(8))


def check_id(text: str, what: str = "entry") -> str:
    """*text* as it is, if it is an id; *what* is the word for the message."""
    if not _FORM.fullmatch(text):
        raise BadId(
            f"{what} id {text[:40]!r} is not of Kaltura's form: the digits of a data centre, "
            f"an underscore and eight of 0-9a-z, like 0_abcd1234"
        )
    return text
