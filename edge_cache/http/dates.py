"""HTTP dates (RFC 9110 §5.6.7): the three forms a recipient must know, and nothing lenient.

Letter case is ignored, as RFC 9111 §4.2 asks of caches; any zone but GMT is refused, so that
a date which is not understood makes a response expired rather than fresh.
"""

import re
from datetime import date
from email.utils import formatdate

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_LONG_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"

_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"{_DAY}, (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} GMT",  # IMF-fixdate
        rf"{_LONG_DAY}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} GMT",  # RFC 850
        rf"{_DAY} {_MONTH} (?P<day>\d\d| \d) {_TIME} (?P<year>\d{{4}})",  # asctime
    )
)
_EPOCH = date(1970, 1, 1).toordinal()
_CENTURY_TURN = 70
"""Two-digit years below this are 20xx.  §5.6.7 would slide it with the clock, 50 years ahead;
a fixed one reads the same until 2120 for every date that a living server sends."""


def format_date(seconds: float) -> str:
    """*seconds* since 1970 as an IMF-fixdate, rounded down.

    >>> format_date(784111777.9)
    'Sun, 06 Nov 1994 08:49:37 GMT'
    """
    return formatdate(seconds // 1, usegmt=True)


def parse_date(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date; None for anything else.

    >>> parse_date("Sunday, 06-Nov-94 08:49:37 GMT")
    784111777.0
    """
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _seconds(match)
    return None


def _seconds(match: re.Match[str]) -> float | None:
    hour, minute, second = (int(match[name]) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second
        return None
    try:
        day = date(_full_year(match["year"]), _month(match["month"]), int(match["day"]))
    except ValueError:  # 31 February, day 0, year 0
        return None
    return float((day.toordinal() - _EPOCH) * 86_400 + hour * 3600 + minute * 60 + second)


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < _CENTURY_TURN else 1900)
