"""Several URLs as one (contract §2.2): what they share is written once.

    f_,a,b,.mp4.urlset    f_a.mp4, f_b.mp4

The parts are joined as plain strings: the commas may fall inside an id.
"""

from collections.abc import Sequence

from origin.errors import BadUrl
from packager.recipe import MAX_FLAVORS

SUFFIX = ".urlset"


def split_urlset(text: str) -> tuple[str, ...]:
    """The URLs of *text*, which is one itself where it is no set.  Raises ``BadUrl``."""
    if not text.endswith(SUFFIX):
        return (text,)
    prefix, *rest = text.removesuffix(SUFFIX).split(",")
    if len(rest) < 2:
        raise BadUrl(".urlset: less than two commas")
    *middles, postfix = rest
    if len(middles) > MAX_FLAVORS:
        raise BadUrl(f".urlset: {len(middles)} parts are more than {MAX_FLAVORS}")
    urls = tuple(prefix + middle + postfix for middle in middles)
    if any(part in ("", ".", "..") for url in urls for part in url.split("/")):
        raise BadUrl(".urlset: a part makes an empty or dotted path segment")
    return urls


def join_urlset(urls: Sequence[str]) -> str:
    """The inverse, for URLs without commas; one alone, or again and again, stays as it is."""
    distinct = list(dict.fromkeys(urls))
    if len(distinct) == 1:
        return distinct[0]
    prefix = _common(distinct)
    rests = [url[len(prefix) :] for url in distinct]
    postfix = _common([rest[::-1] for rest in rests])[::-1]
    middles = (rest[: len(rest) - len(postfix)] for rest in rests)
    return f"{prefix},{','.join(middles)},{postfix}{SUFFIX}"


def _common(texts: Sequence[str]) -> str:
    """The longest text that all of *texts* begin with, wherever it ends."""
    low, high = min(texts), max(texts)  # what these two share, all between them do
    count = next((i for i, letter in enumerate(low) if high[i] != letter), len(low))
    return low[:count]
