"""Numbered errors as responses."""

import pytest

from origin.contract.refusals import Number, Refused
from origin.errors import failure

TABLE = {  # contract §2.1
    1: "entry not found", 2: "not scheduled now", 3: "access control", 5: "file not found",
    6: "flavor not found", 9: "deleted or rejected", 12: "wrong entry type", 13: "moderation",
    14: "partner unknown", 15: "partner inactive", 18: "delivery method not allowed",
    19: "max bitrate invalid", 20: "parameter missing", 27: "token invalid",
    28: "token expired", 49: "min bitrate invalid", 50: "parameter invalid",
}  # fmt: skip


def test_the_table_is_whole() -> None:
    assert {int(number) for number in Number} == set(TABLE)


@pytest.mark.parametrize(("number", "text"), TABLE.items())
def test_a_numbered_error(number: int, text: str) -> None:
    known = failure(Refused(Number(number), "the detail"))
    assert known is not None
    assert (known.status, known.reason) == (404, f"{text}: the detail")
    assert known.fields == {
        # whoever asks next may have access
        "Cache-Control": "no-store" if number == 3 else "public, max-age=60",
        "X-Kaltura": f"error-{number}",
        "X-Kaltura-App": f"exiting on error {number} - {text}",
    }


@pytest.mark.parametrize(
    ("life", "cache_control"),
    [(5, "public, max-age=5"), (600, "public, max-age=60"), (0, "no-store")],
)
def test_an_error_that_ends_soon(life: int, cache_control: str) -> None:
    refused = Refused(Number.NOT_SCHEDULED_NOW, life=life)
    assert refused.fields["Cache-Control"] == cache_control
