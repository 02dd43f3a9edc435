"""An operator's own function between the neutral model and the text of a manifest.

A distribution offers it as an entry point of the group ``headrace.manifest``:

    (Presentation, ManifestRequest) -> Presentation

It may drop and reorder renditions and change their labels, languages and defaults.  Whatever
would make other bytes of media is refused, and so is an answer with neither video nor audio.
What it returns is kept as long as the manifest: it must depend on its arguments alone.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from origin.errors import HookFailed
from packager.presentation import Presentation, Rendition

GROUP = "headrace.manifest"
SLOW = 0.05
"""Seconds; a call that takes longer is told in the log."""

_MAX_LABEL = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")
_log = logging.getLogger("origin")


@dataclass(frozen=True, slots=True)
class ManifestRequest:
    """What a manifest was asked by: nothing that its URL does not say."""

    protocol: str
    """``hls``, ``dash`` or ``cmaf``."""

    manifest: str
    """``master.m3u8`` or ``manifest.mpd``."""

    source: str
    """As it stands in the URL: ``e/0_abcd1234``."""

    entry: str | None
    """None of files."""

    filter: str
    """The rules that were applied before, in one spelling; empty for none."""

    filter_set: str | None
    """Their name, where they have one."""


ManifestHook = Callable[[Presentation, ManifestRequest], Presentation]


class UnknownHook(ValueError):
    """There is no such entry point, or it cannot be loaded."""


@dataclass(frozen=True, slots=True)
class NamedHook:
    name: str
    function: ManifestHook

    def edited(self, given: Presentation, request: ManifestRequest) -> Presentation:
        """What the function makes of *given*.  Raises ``HookFailed``; why is in the log."""
        began = time.perf_counter()
        try:
            made = self.function(given, request)
            wrong = _wrong(given, made)
        except Exception as error:
            _log.error("manifest hook %s failed for %s", self.name, request, exc_info=error)
            raise HookFailed(f"the manifest hook {self.name} failed") from None
        took = time.perf_counter() - began
        if took > SLOW:
            _log.warning("manifest hook %s took %.3f s for %s", self.name, took, request)
        if wrong is not None:
            _log.error("manifest hook %s for %s: %s", self.name, request, wrong)
            raise HookFailed(f"the manifest hook {self.name} gave a wrong answer")
        return made


def _wrong(given: Presentation, made: object) -> str | None:
    """What of *made* cannot be; None where it may."""
    if type(made) is not Presentation:
        return f"it returned {type(made).__name__}, not a Presentation"
    for kind in ("video", "audio", "text"):
        listed, before = getattr(made, kind), getattr(given, kind)
        if type(listed) is not tuple:
            return f"{kind} is no tuple"
        known = {one.name: one for one in before}
        names = [getattr(one, "name", None) for one in listed]
        if len(set(names)) < len(names):
            return f"{kind}: a rendition is listed twice"
        for one, name in zip(listed, names, strict=True):
            if name not in known:
                return f"{kind}: {str(name)[:40]!r} was not given"
            if (wrong := _wrong_rendition(known[name], one)) is not None:
                return f"{name}: {wrong}"
        if sum(one.default for one in listed) > 1:
            return f"{kind}: more than one default"
    if not made.video and not made.audio:
        return "neither video nor audio is left"
    if made.aligned != given.aligned:
        return "aligned was changed"
    return None


def _wrong_rendition(given: Rendition, made: Rendition) -> str | None:
    if type(made) is not type(given):
        return f"it became {type(made).__name__}"
    same = replace(made, label=given.label, language=given.language, default=given.default)
    if same != given:
        return "more than label, language and default was changed"
    if made.label is not None and not _is_label(made.label):
        return f"its label is no text of 1 to {_MAX_LABEL} printable characters"
    if made.language is not None and not _is_language(made.language):
        return "its language is not BCP 47"
    return None if type(made.default) is bool else "its default is not True or False"


def _is_label(label: object) -> bool:
    return isinstance(label, str) and label.isprintable() and 0 < len(label) <= _MAX_LABEL


def _is_language(language: object) -> bool:
    return isinstance(language, str) and _LANGUAGE.fullmatch(language) is not None


def load_hook(name: str) -> NamedHook:
    """The installed hook of that *name*.  Raises ``UnknownHook``."""
    from importlib.metadata import entry_points  # slow to import, and seldom needed

    offered = entry_points(group=GROUP)
    found = [one for one in offered if one.name == name]
    if not found:
        known = ", ".join(sorted({one.name for one in offered})) or "none"
        raise UnknownHook(f"manifest_hook: {name} is not installed (there are: {known})")
    if len({one.value for one in found}) > 1:
        raise UnknownHook(f"manifest_hook: several packages offer {name}")
    try:
        function = found[0].load()
    except Exception as error:
        raise UnknownHook(f"manifest_hook: {found[0].value}: {error}") from error
    if not callable(function):
        raise UnknownHook(f"manifest_hook: {found[0].value} is no function")
    return NamedHook(name, function)
