"""Captions in an MPD."""

import re
from dataclasses import replace
from pathlib import Path

from packager.presentation import Purpose
from tests.packager.dash.test_mpd import judge, render
from tests.packager.hls.presentations import LADDER
from tests.packager.hls.test_subtitles import text

ENGLISH = """\
    <AdaptationSet id="4" contentType="text" mimeType="text/vtt" lang="en">
      <Label>English &amp; sounds</Label>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="subtitle"/>
      <Representation id="s1" bandwidth="7">
        <BaseURL>s1.vtt</BaseURL>
      </Representation>
    </AdaptationSet>
"""


def test_what_they_are_for(dash_xsd: Path) -> None:
    """D-11."""
    purposes = (Purpose.CAPTIONS, Purpose.FORCED)
    texts = tuple(text(n, "en", purpose=one) for n, one in enumerate(purposes, 1))
    found = render(replace(LADDER, text=texts))
    roles = re.findall(r'role:2011" value="([a-z-]+)"/>\n *<Representation id="s', found)
    assert roles == ["caption", "forced-subtitle"]
    assert found.count('AudioPurposeCS:2007" value="2"') == 1
    judge(dash_xsd, found)


def test_a_set_for_each_file(dash_xsd: Path) -> None:
    texts = (
        text(1, "en", label="English & sounds", default=True),
        text(2),
        text(3, "not a language"),
    )
    found = render(replace(LADDER, audio=LADDER.audio[:2], text=texts))
    assert ENGLISH in found
    assert found.count('mimeType="text/vtt"') == 3
    assert found.count('mimeType="text/vtt" lang=') == 1
    judge(dash_xsd, found)
