"""A case is a few requests for one URL; each says what the origin would answer, and what must
come of it.  All cases are played at once, since some must wait for a response to grow stale.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum

from tests.edge_cache.support.client import Answer, connect
from tests.edge_cache.support.edge import until
from tests.edge_cache.support.origin import Exchange, Seen, origin
from tests.support.processes import running

LIMIT = 60.0
"""Seconds for all cases together."""

CUT = "cut"
"""In place of a status: the origin closes the connection without an answer."""

_DATE = re.compile(r"\{([+-]\d+)\}")


class Expect(Enum):
    """What must become of a request."""

    ASKED = "the origin is asked, and the client gets its answer"
    REUSED = "the origin is not asked, and the client gets what an earlier request brought"
    REFRESHED = "the origin is asked, says that what is stored holds, and the client gets that"
    COVERED = "the origin is asked and fails, and the client gets what is stored"
    BEHIND = "the client gets what is stored, and the origin is asked behind its back"
    TOLD = "the origin is not asked, and the client gets an answer of the edge's own"


ASKED, REUSED, REFRESHED = Expect.ASKED, Expect.REUSED, Expect.REFRESHED
COVERED, BEHIND, TOLD = Expect.COVERED, Expect.BEHIND, Expect.TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    expect: Expect
    answer: tuple[str, ...] = ()
    """Field lines of the origin's answer, if it is asked; ``{+60}`` is a date in a minute."""

    status: str = "200 OK"
    """Of the origin's answer, or ``CUT``."""

    body: str | None = None
    """Of the origin's answer; None for one that tells which of its answers it is."""

    interim: tuple[str, ...] = ()
    """Field lines of a 103 before it."""

    method: str = "GET"
    lines: tuple[str, ...] = ()
    """Field lines of the request."""

    at: str = ""
    """What follows the path of the case in the request target."""

    wait: float = 0
    """Seconds before the request, in which what is stored grows older."""

    gets: int | None = None
    """The status that the client must get; None for 200."""

    text: str | None = None
    """The body that the client must get, where ``expect`` does not say it."""

    tells: tuple[str, ...] = ()
    """Field lines that the client must get."""

    age: int | None = None
    """Of what the client gets, at least; at most by the seconds that the case takes more."""

    hides: tuple[str, ...] = ()
    """Names of fields that the client must not get."""

    sends: tuple[str, ...] = ()
    """Field lines that the origin must be sent."""

    omits: tuple[str, ...] = ()
    """Names of fields that the origin must not be sent."""


@dataclass(frozen=True, slots=True)
class Case:
    clause: str
    """Where the rule is: a section of RFC 9111, or of another that it names."""

    steps: tuple[Step, ...]


@dataclass(slots=True)
class _Script:
    """How far a case has come, as its origin sees it."""

    steps: tuple[Step, ...]
    at: int = 0
    seen: list[Seen] = field(default_factory=list)


async def play(cases: Mapping[str, Case], *options: str) -> dict[str, str]:
    """Play *cases* at an edge with *options*; the names of those that fail, and how."""
    scripts = [_Script(case.steps) for case in cases.values()]

    async def answer(seen: Seen, exchange: Exchange) -> None:
        script = scripts[_number(seen.target)]
        script.seen.append(seen)
        await _answer(script.steps[script.at], len(script.seen), seen, exchange)

    async with asyncio.timeout(LIMIT), origin(answer) as upstream:
        with running("edge", "--upstream", upstream.url, "--port", "0", *options) as edge:
            port = edge.address[1]
            wrong = await asyncio.gather(
                *(_play(script, f"/{number}", port) for number, script in enumerate(scripts))
            )
    return {name: text for name, text in zip(cases, wrong, strict=True) if text}


def _number(target: str) -> int:
    return int(re.split("[/?]", target)[1])


async def _answer(step: Step, count: int, seen: Seen, exchange: Exchange) -> None:
    """What the origin answers in *step*, for the *count*-th time in all."""
    if step.interim:
        await exchange.head(*step.interim, status="103 Early Hints")
    if step.status == CUT:
        exchange.cut()
        return
    lines = [_dated(line) for line in step.answer]
    body = (_nth(count) if step.body is None else step.body).encode()
    if step.status.startswith(("204", "304")):
        await exchange.head(*lines, status=step.status)
    elif seen.method == "HEAD":
        await exchange.respond(b"", *lines, status=step.status, length=len(body))
    else:
        await exchange.respond(body, *lines, status=step.status)


async def _play(script: _Script, path: str, port: int) -> str | None:
    stored, began = "", time.monotonic()
    for number, step in enumerate(script.steps):
        await asyncio.sleep(step.wait)
        script.at, asked = number, len(script.seen)
        try:
            async with connect(port) as client:
                got = await client.get(path + step.at, *step.lines, method=step.method)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            return f"request {number + 1}: {error!r}"
        if step.expect is BEHIND:
            await until(lambda asked=asked: len(script.seen) > asked)  # type: ignore[misc]
        wrong = _judge(step, got, script.seen[asked:], stored, len(script.seen))
        wrong = wrong or _age(step, got, time.monotonic() - began)
        if wrong:
            return f"request {number + 1}: {wrong} ({got.status}, {got.cache})"
        if step.expect in (ASKED, BEHIND) and step.method == "GET":
            stored = _nth(len(script.seen)) if step.body is None else step.body
    return None


def _judge(step: Step, got: Answer, seen: list[Seen], stored: str, count: int) -> str | None:
    """What is wrong with an answer, if anything."""
    asked = min(1, len(seen)) if step.status == CUT else len(seen)  # it may be tried again
    if asked != (step.expect not in (REUSED, TOLD)):
        return f"the origin was asked {len(seen)} times"
    if got.status != (step.gets or 200):
        return "status"
    text = step.text
    if text is None and got.status == 200 and step.method == "GET" and step.expect is not TOLD:
        own = _nth(count) if step.body is None else step.body
        text = own if step.expect is ASKED else stored
    if text is not None and got.body.decode("latin-1") != text:
        return f"the body is {got.body!r} rather than {text!r}"
    if step.interim and [one.status for one in got.interim] != [103]:
        return "no 103"
    wrong = _fields(step.tells, step.hides, got.headers)
    return wrong or (_fields(step.sends, step.omits, seen[0].headers) if seen else None)


def _age(step: Step, got: Answer, taken: float) -> str | None:
    """What is wrong with Age, if anything, *taken* seconds after the case has begun."""
    if step.age is None:
        return None
    told = got.headers.get("age", "")
    slowness = taken - step.wait
    is_right = told.isdecimal() and step.age <= int(told) <= step.age + slowness
    return None if is_right else f"Age is {told!r} rather than {step.age}"


def _fields(
    wanted: tuple[str, ...], unwanted: tuple[str, ...], found: Mapping[str, str]
) -> str | None:
    for line in wanted:
        name, value = line.split(": ", 1)
        if found.get(name.lower()) != value:
            return f"{name} is {found.get(name.lower())!r} rather than {value!r}"
    for name in unwanted:
        if name.lower() in found:
            return f"{name} is there"
    return None


def _nth(count: int) -> str:
    return f"answer {count}"


def _dated(line: str) -> str:
    return _DATE.sub(lambda match: formatdate(time.time() + int(match[1]), usegmt=True), line)
