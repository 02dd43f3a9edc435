"""What an owner may say to a sibling in place of an answer."""

from edge_cache.storability import Refusal


class Declined(Exception):
    """What the request would get is for it alone: its worker should go upstream itself.

    *refusal* says why, if that is so for every request of this key and for a while.
    """

    def __init__(self, refusal: Refusal | None) -> None:
        super().__init__(refusal)
        self.refusal = refusal
