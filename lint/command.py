"""``headrace lint``: check an address and print what was found."""

import json
import sys
from collections.abc import Sequence

from lint.examining import examine
from lint.fetching import Fetcher, Unreachable
from lint.findings import Finding, Report, Severity
from lint.rules import CHECKS

CLEAN, FOUND, UNREACHABLE = 0, 1, 2


class Misused(Exception):
    """An option is wrong; the message names it."""


def run(
    target: str, *, as_json: bool, most: int, headers: Sequence[str], timeout: float
) -> int:
    """Check *target*; 0 without an error, 1 with one, 2 if it cannot be read.

    Raises Misused.
    """
    fetcher, report = Fetcher(timeout, _headers(headers)), Report()
    try:
        examine(target, fetcher, report, most)
    except Unreachable as error:
        if as_json:
            print(json.dumps({"target": target, "unreachable": str(error)}))  # noqa: T201
        print(f"headrace lint: {target}: {error}", file=sys.stderr)  # noqa: T201
        return UNREACHABLE
    finally:
        fetcher.close()
    print(_as_json(target, report) if as_json else _as_text(target, report))  # noqa: T201
    errors = any(CHECKS[f.check].severity is Severity.ERROR for f in report.findings)
    return FOUND if errors else CLEAN


def list_rules(*, as_json: bool) -> int:
    """Print every check that is built."""
    if as_json:
        rows = [{"check": c.id, "severity": c.severity, "text": c.text, "remedy": c.remedy,
                 "clause": c.clause} for c in CHECKS.values()]  # fmt: skip
        print(json.dumps(rows, indent=1))  # noqa: T201
    else:
        for check in CHECKS.values():
            print(f"{check.id:20} {check.severity:8} {check.text}")  # noqa: T201
    return CLEAN


def _headers(lines: Sequence[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not line.isprintable():
            raise Misused(f"--header: {line!r} is not NAME:VALUE")
        found[name.strip()] = value.strip()
    return found


def _ordered(report: Report) -> list[Finding]:
    ranks = list(Severity)
    return sorted(report.findings, key=lambda f: ranks.index(CHECKS[f.check].severity))


def _counts(report: Report) -> dict[str, int]:
    found = dict.fromkeys(map(str, Severity), 0)
    for finding in report.findings:
        found[str(CHECKS[finding.check].severity)] += 1
    return found


def _as_json(target: str, report: Report) -> str:
    rows = []
    for finding in _ordered(report):
        check = CHECKS[finding.check]
        rows.append(
            {
                "rule": finding.rule,
                "check": finding.check,
                "severity": check.severity,
                "address": finding.address,
                "place": finding.place,
                "text": check.text,
                "found": finding.text,
                "remedy": check.remedy,
                "clause": check.clause,
            }
        )
    counts: dict[str, object] = {**_counts(report), "not_shown": report.suppressed}
    return json.dumps({"target": target, "counts": counts, "findings": rows}, indent=1)


def _as_text(target: str, report: Report) -> str:
    lines = []
    for finding in _ordered(report):
        check = CHECKS[finding.check]
        lines.append(
            f"{check.severity} {check.id}  {_shown(check.text)}: {_shown(finding.text)}"
        )
        lines.append(f"    {_shown(finding.address)}  {_shown(finding.place)}")
        if check.remedy:
            clause = f" ({check.clause})" if check.clause else ""
            lines.append(f"    remedy: {check.remedy}{clause}")
    counts = ", ".join(f"{n} {name}" for name, n in _counts(report).items())
    more = f", {report.suppressed} repeated and not shown" if report.suppressed else ""
    return "\n".join([*lines, f"{_shown(target)}: {counts}{more}"])


def _shown(text: str) -> str:
    """Of another's server: without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)[:500]
