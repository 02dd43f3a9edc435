import pytest

from edge_cache.http.fields import Fields
from edge_cache.purging.names import MAX_TAG
from edge_cache.purging.tags import MAX_SIZE, MAX_TAGS, UNKNOWN, Tags, tags_of


def surrogate(value: bytes) -> Fields:
    return ((b"Surrogate-Key", value),)


CASES: dict[str, tuple[Fields, Tags]] = {
    "none": (((b"Content-Type", b"a b"),), ()),
    "empty": (surrogate(b" , "), ()),
    "spaces": (surrogate(b"entry-7  flavor-2"), (b"entry-7", b"flavor-2")),
    "commas": (((b"cache-tag", b"b,a, c"),), (b"a", b"b", b"c")),
    "both": (surrogate(b"a, b c\td"), (b"a", b"b", b"c", b"d")),
    "akamai": (((b"Edge-Cache-Tag", b"a"),), (b"a",)),
    "lines": ((*surrogate(b"a"), *surrogate(b"b"), (b"Cache-Tag", b"a,c")), (b"a", b"b", b"c")),
    "case": (surrogate(b"A a"), (b"a",)),
    "longest": (surrogate(b"a" * MAX_TAG), (b"a" * MAX_TAG,)),
    "too long": (surrogate(b"a" * (MAX_TAG + 1)), UNKNOWN),
    "too many": (surrogate(b" ".join(b"%d" % n for n in range(MAX_TAGS + 1))), UNKNOWN),
    "too large": (surrogate(b"a " * (MAX_SIZE // 2) + b"a"), UNKNOWN),
}


@pytest.mark.parametrize(("fields", "tags"), CASES.values(), ids=CASES)
def test_tags(fields: Fields, tags: Tags) -> None:
    assert tags_of(fields) == tags


def test_as_many_as_are_kept() -> None:
    many = b" ".join(b"%d" % number for number in range(MAX_TAGS))
    assert len(tags_of(surrogate(many))) == MAX_TAGS
