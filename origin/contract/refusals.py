"""The numbered errors (contract §2.1): 404, with the number in ``X-Kaltura``."""

from enum import IntEnum

from origin.errors import NotFound


class Number(IntEnum):
    """Those that can come from here; the contract has more."""

    ENTRY_NOT_FOUND = 1
    NOT_SCHEDULED_NOW = 2
    ACCESS_CONTROL_RESTRICTED = 3
    FILE_NOT_FOUND = 5
    FLAVOR_NOT_FOUND = 6
    ENTRY_DELETED_OR_REJECTED = 9
    WRONG_ENTRY_TYPE = 12
    ENTRY_MODERATE = 13
    PARTNER_NOT_FOUND = 14
    PARTNER_INACTIVE = 15
    DELIVERY_METHOD_NOT_ALLOWED = 18
    INVALID_MAX_BITRATE = 19
    MISSING_PARAMETER = 20
    INVALID_TOKEN = 27
    EXPIRED_TOKEN = 28
    INVALID_MIN_BITRATE = 49
    INVALID_PARAMETER = 50


_TEXTS = {
    Number.ENTRY_NOT_FOUND: "entry not found",
    Number.NOT_SCHEDULED_NOW: "not scheduled now",
    Number.ACCESS_CONTROL_RESTRICTED: "access control",
    Number.FILE_NOT_FOUND: "file not found",
    Number.FLAVOR_NOT_FOUND: "flavor not found",
    Number.ENTRY_DELETED_OR_REJECTED: "deleted or rejected",
    Number.WRONG_ENTRY_TYPE: "wrong entry type",
    Number.ENTRY_MODERATE: "moderation",
    Number.PARTNER_NOT_FOUND: "partner unknown",
    Number.PARTNER_INACTIVE: "partner inactive",
    Number.DELIVERY_METHOD_NOT_ALLOWED: "delivery method not allowed",
    Number.INVALID_MAX_BITRATE: "max bitrate invalid",
    Number.MISSING_PARAMETER: "parameter missing",
    Number.INVALID_TOKEN: "token invalid",
    Number.EXPIRED_TOKEN: "token expired",
    Number.INVALID_MIN_BITRATE: "min bitrate invalid",
    Number.INVALID_PARAMETER: "parameter invalid",
}
LIFE = 60
"""Seconds that a numbered error may be kept."""

_NOT_KEPT = frozenset({Number.ACCESS_CONTROL_RESTRICTED})
"""Whoever asks next may be allowed."""


class Refused(NotFound):
    """A request that the contract answers with a number."""

    def __init__(self, number: Number, detail: str = "", *, life: int = LIFE) -> None:
        """*detail* names what was refused; it may be kept for *life* seconds."""
        text = _TEXTS[number]
        super().__init__(f"{text}: {detail}" if detail else text)
        self.number = number
        self.life = 0 if number in _NOT_KEPT else max(0, min(life, LIFE))
        self.fields = {
            "Cache-Control": f"public, max-age={self.life}" if self.life else "no-store",
            "X-Kaltura": f"error-{number:d}",
            "X-Kaltura-App": f"exiting on error {number:d} - {text}",
        }

    def again(self, life: int) -> "Refused":
        """The same, said once more without looking, for the *life* that is left."""
        said = Refused(self.number, life=life)
        said.args = self.args
        said.fields = {**said.fields, "X-Kaltura": f"cached-error-{self.number:d}"}
        return said
