"""The verdict over the life of an entry."""

import pytest

from edge_cache.decision import Decision, Fetch, Renew, Revalidate, Serve, ServeStale, decide
from edge_cache.parts import Parts
from tests.edge_cache.support.entries import entry

PLAIN = entry(age=2, lifetime=10, window=5, now=100)
TAGGED = entry(fields=((b"ETag", b'"v1"'),), lifetime=10, now=100)
DATED = entry(fields=((b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT"),), lifetime=1)
PUBLIC = entry(lifetime=10, shareable=True)

LIFE: dict[str, tuple[float, Decision]] = {
    "on arrival": (100, Serve(PLAIN, 2)),
    "the last fresh moment": (107.9, Serve(PLAIN, 9)),
    "expired": (108, ServeStale(PLAIN, 10)),
    "the end of the window": (112.9, ServeStale(PLAIN, 14)),
    "past the window": (113, Fetch()),
}


@pytest.mark.parametrize(("now", "verdict"), LIFE.values(), ids=LIFE)
def test_the_life_of_an_entry(now: float, verdict: Decision) -> None:
    assert decide(PLAIN, now=now) == verdict
    assert type(decide(PLAIN, now=now)) is type(verdict)


def test_nothing_found() -> None:
    assert decide(None, now=0) == Fetch()


HOT = entry(fields=((b"ETag", b'"v1"'),), lifetime=10, window=5, early=1, now=100)
LAST: dict[str, tuple[float, Decision]] = {
    "before": (108.9, Serve(HOT, 8)),
    "the last part": (109, Renew(HOT, 9)),
    "its end": (109.9, Renew(HOT, 9)),
    "past it": (110, ServeStale(HOT, 10)),
}


@pytest.mark.parametrize(("now", "verdict"), LAST.values(), ids=LAST)
def test_the_last_part_of_freshness(now: float, verdict: Decision) -> None:
    assert decide(HOT, now=now) == verdict
    assert type(decide(HOT, now=now)) is type(verdict)


def test_what_has_no_validator_or_is_not_whole_is_not_renewed_early() -> None:
    part = entry(lifetime=10, early=1, fields=HOT.fields, parts=Parts(9))
    for found in (entry(lifetime=10, early=1), part):
        assert isinstance(decide(found, now=9.5), Serve)


def test_what_is_purged_softly_is_past_its_last_part() -> None:
    assert isinstance(decide(HOT.softened(105), now=109.5), ServeStale)
    assert isinstance(decide(HOT.softened(105), now=110), Revalidate)


@pytest.mark.parametrize("old", [TAGGED, DATED])
def test_a_validator_is_worth_asking(old: object) -> None:
    assert decide(TAGGED, now=110) == Revalidate(TAGGED)


def test_authorization_needs_leave() -> None:
    assert decide(PLAIN, now=100, authorized=True) == Fetch()
    assert decide(PUBLIC, now=5, authorized=True) == Serve(PUBLIC, 5)


def test_a_clock_that_stands_still_gives_no_negative_age() -> None:
    assert decide(PLAIN, now=90) == Serve(PLAIN, 0)


def test_ttl_counts_down_and_on() -> None:
    assert [PLAIN.ttl(now) for now in (100, 107.5, 108, 109.5)] == [8, 0, 0, -2]
