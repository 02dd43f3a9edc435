"""The grammar of filters, in both directions, and everything that is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from origin.errors import BadUrl
from origin.filters.asked import Asked, counted, parse_asked, render_asked
from origin.filters.picks import Pick, Picks, parse_picks, render_picks
from origin.filters.rules import NAMES, Rule, Rules, Span, parse_rules, render_rules
from origin.filters.wanted import Wanted
from origin.urls import parse_target

RULES: dict[str, Rules] = {
    "video_height:240-720": (Rule("video_height", (Span(240, 720),)),),
    "video_height:240-360,720-1080,1440,2160": (
        Rule(
            "video_height",
            (Span(240, 360), Span(720, 1080), Span(1440, 1440), Span(2160, 2160)),
        ),
    ),
    "audio_language:en,fr;video_codec:h264": (
        Rule("audio_language", ("en", "fr")),
        Rule("video_codec", ("h264",)),
    ),
    "video_framerate:23.976-30": (Rule("video_framerate", (Span(23_976, 30_000),)),),
    "video_framerate:29.97": (Rule("video_framerate", (Span(29_970, 29_970),)),),
    "audio_bitrate:0-2147483647": (Rule("audio_bitrate", (Span(0, 2**31 - 1),)),),
    "audio_channels:1-8": (Rule("audio_channels", (Span(1, 8),)),),
    "audio_codec:aacl,ac-3": (Rule("audio_codec", ("aacl", "ac-3")),),
    "audio_sample_rate:0-44100": (Rule("audio_sample_rate", (Span(0, 44_100),)),),
    "subtitle_language:en-us,und": (Rule("subtitle_language", ("en-us", "und")),),
    "trickplay_height:200-1200": (Rule("trickplay_height", (Span(200, 1200),)),),
    "trickplay_type:iframe": (Rule("trickplay_type", ("iframe",)),),
    "video_bitrate:8000000": (Rule("video_bitrate", (Span(8_000_000, 8_000_000),)),),
    "video_dynamic_range:hdr10,sdr": (Rule("video_dynamic_range", ("hdr10", "sdr")),),
}


@pytest.mark.parametrize(("text", "rules"), RULES.items(), ids=RULES)
def test_rules_and_their_text(text: str, rules: Rules) -> None:
    assert parse_rules(text) == rules
    assert render_rules(rules) == text


def test_the_table_has_every_name() -> None:
    assert {rule.name for rules in RULES.values() for rule in rules} == NAMES


SPELLINGS = {
    "VIDEO_CODEC:H264;AUDIO_LANGUAGE:FR,en": "audio_language:en,fr;video_codec:h264",
    "audio_language:eng,en": "audio_language:en",
    "audio_language:fra,und,mis": "audio_language:fr,und",
    "subtitle_language:en-US, hi": "subtitle_language:en-us,hi",
    "video_framerate:30.000,25.50": "video_framerate:25.5,30",
    "video_height:0720,720-720": "video_height:720",
}


@pytest.mark.parametrize(("text", "canonical"), SPELLINGS.items(), ids=SPELLINGS)
def test_another_spelling(text: str, canonical: str) -> None:
    assert render_rules(parse_rules(text)) == canonical


REFUSED_RULES = {
    "": "'' is not the name of a rule",
    ";": "is not the name",
    "video_height:240;": "'' is not the name",
    "donut_type:rhododendron": "'donut_type' is not the name of a rule",
    "video_height": "video_height has no value",
    "video_height:": "'' is not a number",
    "video_height:720,": "'' is not a number",
    "video_height:240-": "'' is not a number",
    "video_height:-240": "'' is not a number",
    "video_height:720p": "'720p' is not a number",
    "video_height:720.5": "'720.5' is not a number",
    "video_height:1-2-3": "'2-3' is not a number",
    "video_height:\u0667": "is not a number",
    "video_height:0-720": "video_height 0 is not in 1 to 32767",
    "video_height:1-32768": "32768 is not in 1 to 32767",
    "audio_sample_rate:300-0": "audio_sample_rate 300-0 runs backwards",
    "audio_sample_rate:0-2147483648": "2147483648 is not in 0 to 2147483647",
    "audio_sample_rate:is:0-44100": "'is:0' is not a number",
    "audio_sample_rate:0-48000;audio_sample_rate:0-48000": "audio_sample_rate is doubled",
    "video_framerate:0-30": "0 is not in 1 to 999.999",
    "video_framerate:30.0001": "is not a number",
    "video_codec:mpeg2": "'mpeg2' is none of h264, h265, av1",
    "audio_codec:aac": "is none of aacl",
    "audio_language:": "'' is not a language",
    "audio_language:e": "'e' is not a language",
    "audio_language:en_US": "is not a language",
    "audio_language:" + "abc," * 260 + "abc": "longer than 1024",
}


@pytest.mark.parametrize(
    ("text", "reason"), REFUSED_RULES.items(), ids=range(len(REFUSED_RULES))
)
def test_rules_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_rules(text)
    assert reason in str(refused.value)


PICKS = {
    "": None,
    "-f1-f3": Picks((Pick(1), Pick(3))),
    "-f1-v1-f2-a1": Picks((Pick(1, video=1, audio=0), Pick(2, video=0, audio=1))),
    "-f1-v1-a2": Picks((Pick(1, video=1, audio=2),)),
    "-f1-a0-f2": Picks((Pick(1, audio=0), Pick(2))),
    "-v0": Picks((Pick(video=0),)),
    "-a0": Picks((Pick(audio=0),)),
    "-v1": Picks((Pick(video=1, audio=0),)),
    "-len": Picks(languages=("en",)),
    "-f2-len-US-lfr": Picks((Pick(2),), ("en-us", "fr")),
    "-a1-lzh-Hant-TW": Picks((Pick(video=0, audio=1),), ("zh-hant-tw",)),
    "-les-419": Picks(languages=("es-419",)),
    "-f1-s0_abcd1234-v1-shigh": Picks(
        (Pick(1), Pick(None, "0_abcd1234", 1, 0), Pick(None, "high"))
    ),
    "-f32-v999": Picks((Pick(32, video=999, audio=0),)),
}


@pytest.mark.parametrize(("text", "picks"), PICKS.items(), ids=PICKS)
def test_selectors_and_what_they_pick(text: str, picks: Picks | None) -> None:
    assert parse_picks(text) == picks
    assert render_picks(picks) == text


LENIENT_PICKS = {
    "-v1-a0": "-v1",
    "-v0-a1": "-a1",
    "-f1-v1-a0": "-f1-v1",
    "-leng": "-len",
    "-lfra-leng": "-len-lfr",
    "-szz-saa": "-saa-szz",
}


@pytest.mark.parametrize(("text", "canonical"), LENIENT_PICKS.items(), ids=LENIENT_PICKS)
def test_another_spelling_of_selectors(text: str, canonical: str) -> None:
    assert render_picks(parse_picks(text)) == canonical


REFUSED_PICKS = {
    "-f0": "-f0 is not known",
    "-f01": "-f01 is not known",
    "-f": "-f is not known",
    "-f1000": "-f1000 is not known",
    "-v": "-v is not known",
    "-v01": "-v01 is not known",
    "-b1": "-b1 is not known",
    "-f1x": "-f1x is not known",
    "-x9f2c41aa": "-x9f2c41aa is not known",
    "-f1-more": "-more is not known",
    "-l": "-l is not known",
    "-l1": "-l1 is not known",
    "-lEN": "-lEN is not known",
    "-lenglishspoken": "is not known",
    "-s": "-s is not known",
    "-f1-f1": "-f is doubled or out of order",
    "-f3-f1": "-f is doubled or out of order",
    "-f1-v1-v2": "doubled or out of order",
    "-a1-v1": "doubled or out of order",
    "-v1-f1": "doubled or out of order",
    "-len-f1": "doubled or out of order",
    "-saa-f1": "doubled or out of order",
    "-saa-saa": "-s is doubled",
    "-len-leng": "a language is doubled",
    "-v0-a0": "leave nothing",
    "-f1-v0-a0-f2": "leave nothing",
    "".join(f"-f{n}" for n in range(1, 34)): "more than 32 flavors",
}


@pytest.mark.parametrize(
    ("text", "reason"), REFUSED_PICKS.items(), ids=range(len(REFUSED_PICKS))
)
def test_selectors_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_picks(text)
    assert reason in str(refused.value)


E = "/hls/e/0_abcd1234"
TALL: Rules = (Rule("video_height", (Span(720, 720),)),)
MASTER = parse_target(f"{E}/master.m3u8")
MPD = parse_target("/cmaf/e/0_abcd1234/manifest.mpd")
URLS = {
    f"{E}/master.m3u8": Asked(MASTER),
    f"{E}/master-f1-f3.m3u8": Asked(MASTER, Wanted(Picks((Pick(1), Pick(3))))),
    f"{E}/master-len.m3u8": Asked(MASTER, Wanted(Picks(languages=("en",)))),
    f"{E}/filter/video_height:720/master.m3u8": Asked(MASTER, Wanted(rules=TALL)),
    f"{E}/filter/@phone/master.m3u8": Asked(MASTER, Wanted(named="phone")),
    f"{E}/master.m3u8?aws.manifestfilter=video_height:720": Asked(MASTER, Wanted(query=TALL)),
    "/cmaf/e/0_abcd1234/filter/@phone/manifest-f2.mpd?aws.manifestfilter=video_height:720": (
        Asked(MPD, Wanted(Picks((Pick(2),)), (), "phone", TALL))
    ),
    f"{E}/index-f1-v1-a1.m3u8": Asked(parse_target(f"{E}/index-f1-v1-a1.m3u8")),
    # names of files may be words of ours
    "/hls/local/filter/a.mp4/master.m3u8": Asked(
        parse_target("/hls/local/filter/a.mp4/master.m3u8")
    ),
    "/hls/local/a.mp4/filter/video_height:720/master.m3u8": Asked(
        parse_target("/hls/local/a.mp4/master.m3u8"), Wanted(rules=TALL)
    ),
}


@pytest.mark.parametrize(("url", "asked"), URLS.items(), ids=URLS)
def test_a_url_and_what_it_asks(url: str, asked: Asked) -> None:
    assert parse_asked(url) == asked
    assert render_asked(asked) == url


LENIENT_URLS = {
    f"{E}/filter/VIDEO_HEIGHT%3A720/master.m3u8": f"{E}/filter/video_height:720/master.m3u8",
    f"{E}/filter/@PHONE/master.m3u8": f"{E}/filter/@phone/master.m3u8",
    f"{E}/master.m3u8?aws.manifestfilter=": f"{E}/master.m3u8",
    f"{E}/master.m3u8?aws.manifestfilter=subtitle_language%3Aen-US%2C+hi": (
        f"{E}/master.m3u8?aws.manifestfilter=subtitle_language:en-us,hi"
    ),
}


@pytest.mark.parametrize(("url", "canonical"), LENIENT_URLS.items(), ids=LENIENT_URLS)
def test_another_spelling_of_a_url(url: str, canonical: str) -> None:
    assert render_asked(parse_asked(url)) == canonical


REFUSED_URLS = {
    f"{E}/filter/nonsense/master.m3u8": "'nonsense' is not the name of a rule",
    f"{E}/filter/video_height:720/index-f1.m3u8": "only manifests have one",
    f"{E}/filter/video_height:720/seg-1-f1-v1-a1.ts": "only manifests have one",
    f"{E}/filter/video_height:720/filter/@phone/master.m3u8": "left over: filter",
    f"{E}/filter/@phone/extra/master.m3u8": "left over: filter",
    f"{E}/filter/@/master.m3u8": "'' is not the name of a filter set",
    f"{E}/filter/@a%20b/master.m3u8": "is not the name of a filter set",
    f"{E}/filter/@a%2fb/master.m3u8": "is not the name of a filter set",
    f"{E}/filter/%ff/master.m3u8": "is not the name of a rule",
    f"{E}/filter/master.m3u8": "left over: filter",
    "/hls/filter/video_height:720/master.m3u8": "starts with /hls",
    f"{E}/master.m3u8?aws.manifestfilter=a:1&aws.manifestfilter=a:1": "is doubled",
    f"{E}/master.m3u8?aws.manifestfilter=donut:1": "'donut' is not the name",
    f"{E}/master.m3u8?aws.manifestfilter=%ff": "is not the name",
    f"{E}/master-f1.mpd": "no such file under /hls",
    f"{E}/manifest-f1.mpd": "no such file under /hls",
    f"{E}/master-f1-more.m3u8": "-more is not known",
    f"{E}/master-.m3u8": "no such file",
    "/hls/local/a.mp4/filter/donut:1/master.m3u8": "'donut' is not the name",
    E + "/filter/audio_language:" + "abc," * 1200 + "abc/master.m3u8": "longer than",
}


@pytest.mark.parametrize(("url", "reason"), REFUSED_URLS.items(), ids=range(len(REFUSED_URLS)))
def test_urls_that_are_refused(url: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_asked(url)
    assert reason in str(refused.value)


COUNTED = {
    ("/hls/e/x/master.m3u8", "?aws.manifestfilter=a:1&session=7"): (
        "/hls/e/x/master.m3u8?aws.manifestfilter=a:1"
    ),
    ("/hls/e/x/master.m3u8", "?session=7"): "/hls/e/x/master.m3u8",
    ("/hls/e/x/master.m3u8", "?xaws.manifestfilter=a:1"): "/hls/e/x/master.m3u8",
    ("/hls/e/x/index-f1.m3u8", "?aws.manifestfilter=a:1"): "/hls/e/x/index-f1.m3u8",
    ("/hls/e/x/seg-1-f1.ts", "?aws.manifestfilter=a:1"): "/hls/e/x/seg-1-f1.ts",
    # whatever is encoded means the same
    ("/hls/e/x/%6Daster.m3u8", "?aws%2Emanifestfilter=a%3A1"): (
        "/hls/e/x/%6Daster.m3u8?aws.manifestfilter=a%3A1"
    ),
}


@pytest.mark.parametrize(("given", "left"), COUNTED.items(), ids=range(len(COUNTED)))
def test_what_counts_of_a_query(given: tuple[str, str], left: str) -> None:
    assert counted(*given) == left


words = st.sampled_from(
    [*sorted(NAMES), ":", ";", ",", "-", " ", "0", "1", "720", "30.0", "2147483648", "h264",
     "aacl", "en", "eng", "en-us", "sdr", "iframe", "É", "@"]
)  # fmt: skip
pieces = st.lists(words, max_size=12).map("".join)
likely = st.lists(
    st.builds("{}:{}".format, st.sampled_from(sorted(NAMES)), pieces | st.just("720")),
    max_size=4,
).map(";".join)


@given(likely | pieces | st.text(max_size=40))
@example("audio_language:en;video_height:240-720")
def test_rules_round_trip_or_are_refused(text: str) -> None:
    try:
        rules = parse_rules(text)
    except BadUrl:
        return
    assert parse_rules(render_rules(rules)) == rules
    assert render_rules(parse_rules(render_rules(rules))) == render_rules(rules)


tokens = st.sampled_from(
    ["-f1", "-f2", "-f33", "-v0", "-v1", "-a0", "-a2", "-leng", "-lfr", "-len-US", "-les-419",
     "-sabc", "-s0_x", "-x1", "-", "1"]
)  # fmt: skip


@given(st.lists(tokens, max_size=7).map("".join))
def test_selectors_round_trip_or_are_refused(text: str) -> None:
    try:
        picks = parse_picks(text)
    except BadUrl:
        return
    assert parse_picks(render_picks(picks)) == picks


@given(
    st.sampled_from([E, "/dash/e/0_abcd1234", "/cmaf/local/filter/x.mp4"]),
    st.sampled_from(["", "/filter"]),
    st.just("") | likely | pieces,
    st.lists(tokens, max_size=4).map("".join),
    st.sampled_from(["master{}.m3u8", "manifest{}.mpd", "index{}.m3u8"]),
    st.just("") | likely | pieces,
)
def test_urls_round_trip_or_are_refused(
    folder: str, word: str, segment: str, picks: str, name: str, query: str
) -> None:
    path = f"{folder}{word}{'/' if segment else ''}{segment}/{name.format(picks)}"
    text = counted(path, f"?aws.manifestfilter={query}") if query else path
    try:
        asked = parse_asked(text)
    except BadUrl:
        return
    assert parse_asked(render_asked(asked)) == asked
