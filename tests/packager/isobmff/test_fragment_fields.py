"""Fragments whose fields say anything: indexed and played whole, or refused by name."""

import random
from collections import Counter

from hypothesis import HealthCheck, given, settings

from packager.errors import PackagerError
from tests.fuzz.fragments import files
from tests.fuzz.playing import play


def test_any_fields() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(files())
    def one(data: bytes) -> None:
        try:
            play(data, random.Random(len(data)))
            outcomes["played"] += 1
        except PackagerError as error:
            outcomes[str(error).partition(":")[0]] += 1

    one()
    assert outcomes["played"] > 5
    assert {"tfhd", "trun"} <= set(outcomes)
