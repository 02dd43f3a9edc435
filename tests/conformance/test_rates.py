"""BANDWIDTH, AVERAGE-BANDWIDTH and MPD@bandwidth, from the segments that are served."""

import re
from collections.abc import Mapping
from fractions import Fraction

import pytest

from lint.rates import leaky
from tests.conformance.files import media_names
from tests.conformance.laboratory import Laboratory
from tests.conformance.master import Master, read_master
from tests.conformance.presented import (
    NotPresented,
    Presented,
    Segmented,
    Way,
    adaptations,
    present,
    representation,
)
from tests.conformance.rates import average, durations, near, peak

NAMES = media_names() or [pytest.param("", id="no media")]


@pytest.mark.parametrize("way", Way, ids=lambda way: way.name)
@pytest.mark.parametrize("name", NAMES)
def test_rates_are_those_of_the_segments(lab: Laboratory, name: str, way: Way) -> None:
    if not lab.take(name).entry:
        return
    try:
        found = present(lab, name, way)
    except NotPresented:
        return
    renditions = *found.renditions, *found.texts
    sizes = {one.name: _sizes(lab, found, one) for one in renditions}
    if not all(sizes.values()):
        return  # a damaged sample, which another test looks at
    for text in found.mpds.values():
        judge_mpd(text, sizes)
    if "master.m3u8" in found.playlists:
        judge_master(found, read_master(found.playlists["master.m3u8"]), sizes)


def _sizes(lab: Laboratory, found: Presented, listed: Segmented) -> list[int]:
    answers = [lab.ask(found.folder + uri) for uri in listed.media]
    return [len(one.body) for one in answers] if {200} == {a.status for a in answers} else []


def judge_mpd(text: str, sizes: Mapping[str, list[int]]) -> None:
    """The least rate of D-13, by lint's arithmetic."""
    said = re.search(r'minBufferTime="PT([\d.]+)S"', text)
    assert said, text
    for _, one, template in adaptations(text):
        listed = representation(one, template)
        wanted = leaky(sizes[listed.name], durations(listed), Fraction(said[1]))
        assert abs(int(one.attrib["bandwidth"]) - wanted) <= 1 + wanted / 10**6, listed.name


def judge_master(found: Presented, master: Master, sizes: Mapping[str, list[int]]) -> None:
    """P-09: what a player needs at the most for a variant, one of its sounds, one of its
    captions."""
    renditions = *found.renditions, *found.texts
    lists = {one.name: one for one in renditions if one.name in found.playlists}
    for variant in master.variants:
        group = {one["URI"] for one in master.sounds(variant) if "URI" in one}
        parts = [{variant["URI"]}, group] if variant["URI"] not in group else [group]
        if "SUBTITLES" in variant:
            parts.append({one.name for one in found.texts})
        wanted = [Fraction(0), Fraction(0)]
        shortest: list[Fraction] = []
        for part in filter(None, parts):
            rates = []
            for uri in part:
                lasting = durations(lists[uri])
                shortest += lasting
                target = re.search(r"#EXT-X-TARGETDURATION:(\d+)", found.playlists[uri])
                assert target
                given = sizes[uri], lasting
                rates.append((peak(*given, int(target[1])), average(*given)))
            for at in (0, 1):
                wanted[at] += max(rate[at] for rate in rates)
        assert near(int(variant["BANDWIDTH"]), wanted[0], shortest), (variant, wanted)
        assert near(int(variant["AVERAGE-BANDWIDTH"]), wanted[1], shortest), (variant, wanted)


def test_a_dense_run_decides() -> None:
    """By hand: 4 s at 8 kbit/s, then 2 s at 80; of a target of 4 a run lasts 2 to 6 s."""
    lasting = [Fraction(4), Fraction(2)]
    assert peak([4_000, 20_000], lasting, 4) == 80_000
    assert peak([4_000, 20_000], lasting, 12) == 32_000  # from 6 s on
    assert peak([4_000, 20_000], lasting, 13) == average([4_000, 20_000], lasting)
