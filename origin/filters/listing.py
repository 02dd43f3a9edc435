"""How a manifest differs from one that lists everything."""

from dataclasses import dataclass

from origin.filters.applying import picked, ruled
from origin.filters.hook import ManifestRequest, NamedHook
from origin.filters.picks import Picks
from origin.filters.rules import Rules
from packager.presentation import Presentation


@dataclass(frozen=True, slots=True)
class Listing:
    """Equal ones make equal manifests of equal presentations."""

    picks: Picks | None = None
    ids: tuple[str | None, ...] = ()
    """Of the flavors, where *picks* goes by them."""

    rules: tuple[Rules, ...] = ()
    """All of them hold."""

    folder: str = ""
    """Where what the manifest names is, relative to it."""

    hook: NamedHook | None = None
    request: ManifestRequest | None = None

    def keep(self, every: Presentation) -> Presentation:
        """Before flavors are told apart or together.  Raises ``BadUrl``."""
        if self.picks is not None:
            every = picked(every, self.picks, self.ids)
        for rules in self.rules:
            every = ruled(every, rules)
        return every

    def edit(self, listed: Presentation) -> Presentation:
        """Last of all.  Raises ``HookFailed``."""
        if self.hook is None or self.request is None:
            return listed
        return self.hook.edited(listed, self.request)


EVERYTHING = Listing()
