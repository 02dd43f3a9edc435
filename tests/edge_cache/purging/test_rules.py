"""Rules against the plain reading: go through all records that came after the entry began."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_cache.purging.names import EVERYTHING, Kind, Name, normal
from edge_cache.purging.records import Mark, Purge, Snapshot, decode, encode
from edge_cache.purging.rules import Mode, Purged, Rules
from edge_cache.purging.tags import UNKNOWN, Tags

URL, PREFIX, TAG = Kind.URL, Kind.PREFIX, Kind.TAG


def hard(*names: Name) -> Purge:
    return Purge(names, False, 0.0)


def soft(*names: Name, time: float = 0.0) -> Purge:
    return Purge(names, True, time)


def rules(*purges: Purge) -> Rules:
    """The first purge has the number 1."""
    made = Rules()
    for sequence, purge in enumerate(purges, 1):
        made.apply(sequence, purge)
    return made


MATCHES: dict[str, tuple[Name, bytes, Tags, bool]] = {
    "url": ((URL, b"/a"), b"/a", (), True),
    "other url": ((URL, b"/a"), b"/ab", (), False),
    "other query": ((URL, b"/a"), b"/a?b", (), False),
    "other spelling": ((URL, b"/~a"), b"/%7ea", (), True),
    "prefix": ((PREFIX, b"/a/"), b"/a/b/c?d", (), True),
    "prefix itself": ((PREFIX, b"/a"), b"/a", (), True),
    "within a name": ((PREFIX, b"/a"), b"/ab", (), True),
    "shorter than the prefix": ((PREFIX, b"/a/"), b"/a", (), False),
    "prefix, other spelling": ((PREFIX, b"/%C3"), b"/%c3%a9", (), True),
    "tag": ((TAG, b"t"), b"/a", (b"s", b"t"), True),
    "other tag": ((TAG, b"t"), b"/a", (b"s", b"tt"), False),
    "tag of an untagged one": ((TAG, b"t"), b"/a", (), False),
    "unknown tags": ((TAG, b"t"), b"/a", UNKNOWN, True),
    "unknown tags, a url": ((URL, b"/b"), b"/a", UNKNOWN, False),
    "everything": (EVERYTHING, b"*", (), True),
}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("name", "target", "tags", "matches"), MATCHES.values(), ids=MATCHES.keys()
)
def test_what_a_name_matches(
    name: Name, target: bytes, tags: Tags, matches: bool, mode: Mode
) -> None:
    made = rules(hard(), Purge((name,), mode is Mode.SOFT, 7.0))
    expected = Purged(mode, 2, 7.0 if mode is Mode.SOFT else 0.0) if matches else None
    assert made.verdict(target, tags, begun=1) == expected
    assert made.verdict(target, tags, begun=2) is None


A: Name = (URL, b"/a")


@pytest.mark.parametrize(
    ("purges", "begun", "mode", "sequence"),
    [
        ((hard(A), soft(A)), 0, Mode.HARD, 1),
        ((hard(A), soft(A)), 1, Mode.SOFT, 2),
        ((hard(A), soft(A)), 2, None, 0),
        ((soft(A), hard(A)), 0, Mode.HARD, 2),
        ((soft(A), soft(A)), 0, Mode.SOFT, 2),
        ((soft(EVERYTHING), soft(A), soft((PREFIX, b"/"))), 1, Mode.SOFT, 3),
        ((soft(A), hard((TAG, b"t"))), 0, Mode.HARD, 2),
        ((soft(A), hard((TAG, b"other"))), 0, Mode.SOFT, 1),
    ],
)
def test_hard_before_soft_and_late_before_early(
    purges: tuple[Purge, ...], begun: int, mode: Mode | None, sequence: int
) -> None:
    verdict = rules(*purges).verdict(b"/a", (b"t",), begun)
    assert (verdict and verdict[:2]) == (mode and (mode, sequence))


@dataclass(slots=True)
class Plain:
    """The obvious version: a list of records."""

    records: list[tuple[int, Purge]] = field(default_factory=list)

    def verdict(self, target: bytes, tags: Tags, begun: int) -> tuple[Mode, int] | None:
        found = [
            (sequence, purge)
            for sequence, purge in self.records
            if sequence > begun and any(names(name, target, tags) for name in purge.names)
        ]
        for mode in (Mode.HARD, Mode.SOFT):
            of_mode = [s for s, purge in found if purge.soft == (mode is Mode.SOFT)]
            if of_mode:
                return mode, max(of_mode) if mode is Mode.SOFT else 0
        return None


def names(name: Name, target: bytes, tags: Tags) -> bool:
    kind, value = name
    if kind is URL:
        return normal(target) == value
    if kind is PREFIX:
        return normal(target).startswith(value)
    return tags == UNKNOWN or value in tags


PATHS = st.lists(st.sampled_from([b"a", b"b", b"%7e", b"?"]), max_size=4).map(
    lambda names: b"/" + b"/".join(names)
)
TAGS = st.sampled_from([b"s", b"t", b"u"])
NAMES = st.one_of(
    st.tuples(st.just(URL), PATHS.map(normal)),
    st.tuples(st.just(PREFIX), PATHS.map(normal)),
    st.tuples(st.just(TAG), TAGS),
    st.just(EVERYTHING),
)
PURGES = st.lists(
    st.builds(
        Purge, st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.booleans(), st.just(0.0)
    ),
    max_size=12,
)
ENTRIES = st.lists(
    st.tuples(
        PATHS,
        st.one_of(st.sets(TAGS).map(lambda tags: tuple(sorted(tags))), st.just(UNKNOWN)),
        st.integers(0, 12),
    ),
    min_size=1,
    max_size=8,
)


def outcome(verdict: Purged | None) -> tuple[Mode, int] | None:
    """Of a hard verdict any sequence number that says so will do."""
    if verdict is None:
        return None
    return verdict.mode, verdict.sequence if verdict.mode is Mode.SOFT else 0


@given(PURGES, ENTRIES)
def test_rules_are_the_records(
    purges: list[Purge], entries: list[tuple[bytes, Tags, int]]
) -> None:
    made, plain = rules(*purges), Plain(list(enumerate(purges, 1)))
    for entry in entries:
        assert outcome(made.verdict(*entry)) == plain.verdict(*entry)


@given(PURGES, ENTRIES, st.integers(250, 3000), st.integers(1, 3))
def test_bounded_rules_purge_what_the_records_do_or_more(
    purges: list[Purge], entries: list[tuple[bytes, Tags, int]], limit: int, lengths: int
) -> None:
    made, plain = Rules(limit, lengths), Plain()
    severity = {None: 0, Mode.SOFT: 1, Mode.HARD: 2}
    for sequence, purge in enumerate(purges, 1):
        made.apply(sequence, purge)
        plain.records.append((sequence, purge))
        assert made.weight <= max(limit, 350)  # one name may weigh more than a test's limit
        for target, tags, begun in entries:
            if begun > sequence:
                continue
            found, expected = (
                made.verdict(target, tags, begun),
                plain.verdict(target, tags, begun),
            )
            assert severity[found and found.mode] >= severity[expected and expected[0]]
            assert found is None or begun < found.sequence <= sequence


@given(PURGES, ENTRIES, st.integers(0, 12), st.integers(0, 12))
def test_a_snapshot_says_what_its_records_say(
    purges: list[Purge], entries: list[tuple[bytes, Tags, int]], read: int, covered: int
) -> None:
    """A reader that has *read* some itself gets the same from a snapshot of *covered*."""
    numbered = list(enumerate(purges, 1))
    writer, reader, plain = Rules(), Rules(), rules(*purges)
    for sequence, purge in numbered[:covered]:
        writer.apply(sequence, purge)
    for sequence, purge in numbered[:read]:
        reader.apply(sequence, purge)
    snapshot = Snapshot(tuple((*name, mark) for name, mark in writer), covered, 0)
    for sequence, purge in numbered[covered:]:
        reader.apply(sequence, purge)
    reader.apply(len(purges) + 1, decode(encode(snapshot)))
    for entry in entries:
        assert outcome(reader.verdict(*entry)) == outcome(plain.verdict(*entry))


@given(PURGES, ENTRIES, st.integers(0, 12))
def test_forgetting_changes_nothing_for_later_entries(
    purges: list[Purge], entries: list[tuple[bytes, Tags, int]], floor: int
) -> None:
    made, plain = rules(*purges), rules(*purges)
    made.forget(floor)
    assert all(mark.newest > floor for _, mark in made)
    for entry in entries:
        if entry[2] >= floor:
            assert outcome(made.verdict(*entry)) == outcome(plain.verdict(*entry))


def test_who_has_not_read_what_was_forgotten_takes_everything_for_purged() -> None:
    behind = rules(hard(A))
    behind.apply(9, Snapshot((), covered=8, floor=5))
    assert behind.verdict(b"/b", (), begun=1) == Purged(Mode.HARD, 5, 0.0)
    assert behind.verdict(b"/b", (), begun=5) is None


def test_who_has_read_what_was_forgotten_loses_nothing() -> None:
    current = rules(*[hard(A)] * 5)
    current.apply(9, Snapshot((), covered=8, floor=5))
    assert current.verdict(b"/b", (), begun=1) is None


def test_the_oldest_become_their_folders_first() -> None:
    made = Rules(limit=5000)
    for sequence in range(1, 101):
        made.apply(sequence, hard((URL, b"/%d/%d" % (sequence % 4, sequence))))
    assert made.weight <= 5000
    assert made.verdict(b"/1/other", (), begun=0)
    assert made.verdict(b"/5/other", (), begun=0) is None  # nothing in that folder was purged
    assert made.verdict(b"/1/other", (), begun=95) is None  # the newest mean what they say
    assert made.verdict(b"/1/97", (), begun=95)


def test_purges_that_have_nothing_in_common_become_one_of_everything() -> None:
    made = Rules(limit=2000)
    for sequence in range(1, 9):
        made.apply(sequence, hard((URL, b"/%d/a" % sequence)))
    assert made.weight <= 2000
    assert made.verdict(b"/other", (), begun=0)
    assert made.verdict(b"/other", (), begun=7) is None


def test_a_loop_of_purges_takes_bounded_memory() -> None:
    made = Rules(limit=100_000)
    for sequence in range(1, 20_001):
        made.apply(sequence, hard((URL, b"/entry/%d" % sequence), (TAG, b"%d" % sequence)))
    assert made.weight <= 100_000 and len(made) < 400
    assert made.verdict(b"/entry/1", (), begun=0)
    assert made.verdict(b"/entry/20000", (), begun=19_999)
    assert made.verdict(b"/entry/20001", (), begun=19_999) is None


def test_prefixes_of_many_lengths_cost_few_look_ups() -> None:
    made = Rules(max_lengths=8)
    for length in range(1, 200):
        made.apply(length, hard((PREFIX, b"/" * length)))
    assert len({len(value) for (_, value), _ in made}) <= 8
    assert made.verdict(b"/" * 150, (), begun=149)


def test_a_mark_keeps_the_time_of_its_latest_soft_purge() -> None:
    assert Mark(1, 2, 20.0).merged(Mark(3, 1, 10.0)) == Mark(3, 2, 20.0)
