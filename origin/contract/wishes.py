"""Parameters of playManifest that say from where, in which language and for whom (§2.1).

They choose among what there is: profiles, storages, sound.  Pure.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass

from origin.contract.access import NOBODY, Asker
from origin.contract.refusals import Number, Refused

NAMES = {
    "deliveryProfileId": "", "deliveryProfileIds": "", "deliveryCode": "dc",
    "playbackContext": "pc", "sessionId": "", "cdnHost": "ch", "storageId": "si",
    "defaultAudioLang": "", "muxedAudioLang": "", "ks": "", "hashes": "", "referrer": "r",
}  # fmt: skip
"""And their short forms."""

_FILLS = ("deliveryCode", "playbackContext", "sessionId")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""Of a host name (RFC 1035 §2.3.1): what is put in one may not end it."""

_NUMBER = re.compile(r"[0-9]{1,18}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
SESSION = re.compile(r"[A-Za-z0-9_=|-]*")
_HASHES = re.compile(r"[A-Za-z0-9_=,.:-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWishes:
    profiles: tuple[int, ...] = ()
    """Ids of delivery profiles; one of them, or none."""

    fills: tuple[tuple[str, str], ...] = ()
    """Values of placeholders by name."""

    host: str = ""
    """``cdnHost``: preferred among those of the profiles, never one of its own."""

    storage: int | None = None
    """Id of the remote storage to take files from."""

    default_audio: str = ""
    """Language that is heard unless a viewer chooses."""

    muxed_audio: str = ""
    """Language that is in the video's segments."""

    asker: Asker = NOBODY


NO_WISHES = DeliveryWishes()


def parse_wishes(given: Mapping[str, str]) -> DeliveryWishes:
    """Of values by long name.  Raises ``Refused`` (50)."""
    storage = given.get("storageId", "")
    if storage and not _NUMBER.fullmatch(storage):
        raise Refused(Number.INVALID_PARAMETER, "storageId is no number")
    return DeliveryWishes(
        profiles=_profiles(given),
        fills=_fills(given),
        host=_only(_HOST, given.get("cdnHost", "")),
        storage=int(storage) if storage else None,
        default_audio=_language(given.get("defaultAudioLang", "")),
        muxed_audio=_language(given.get("muxedAudioLang", "")),
        asker=Asker(
            session=_only(SESSION, given.get("ks", "")),
            referrer=decode_referrer(given.get("referrer", "")),
            hashes=_only(_HASHES, given.get("hashes", "")),
        ),
    )


def _profiles(given: Mapping[str, str]) -> tuple[int, ...]:
    text = given.get("deliveryProfileId", given.get("deliveryProfileIds", ""))
    texts = [part for part in text.split(",") if part]
    if not all(map(_NUMBER.fullmatch, texts)):
        raise Refused(Number.INVALID_PARAMETER, "deliveryProfileId is no number")
    return tuple(map(int, texts))


def _fills(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for name in _FILLS:
        if name in given and not _LABEL.fullmatch(given[name]):
            raise Refused(Number.INVALID_PARAMETER, f"{name} is no part of a host name")
    return tuple((name, given[name]) for name in _FILLS if name in given)


def _only(pattern: re.Pattern[str], text: str) -> str:
    """*text* where it can mean something."""
    return text if pattern.fullmatch(text) else ""


def _language(text: str) -> str:
    """In the usual case (RFC 5646 §2.1.1): ``pt-BR``, ``zh-Hant``."""
    primary, *rest = _only(_LANGUAGE, text).lower().split("-")
    cased = (part.upper() if len(part) == 2 else part.capitalize() for part in rest)
    return "-".join([primary, *cased])


def decode_referrer(text: str) -> str:
    """Of base64 as players write it: ``-`` and ``_`` for ``+`` and ``/``, and a ``+`` that a
    query has made a space; nothing where it is none.

    >>> decode_referrer("aHR0cDovL2Evfg"), decode_referrer("aHR0 cA"), decode_referrer("!")
    ('http://a/~', '', '')
    """
    usual = text.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        found = b64decode(usual + "=" * (-len(usual) % 4), validate=True).decode()
    except (Error, ValueError):
        return ""
    return found if found.isprintable() else ""


def render_wishes(wishes: DeliveryWishes) -> dict[str, object]:
    """Values by name; ``parse_wishes`` of them is *wishes* again."""
    referrer = urlsafe_b64encode(wishes.asker.referrer.encode()).decode()
    return {
        "deliveryProfileIds": ",".join(map(str, wishes.profiles)),
        **dict(wishes.fills),
        "cdnHost": wishes.host,
        "storageId": wishes.storage,
        "defaultAudioLang": wishes.default_audio,
        "muxedAudioLang": wishes.muxed_audio,
        "ks": wishes.asker.session,
        "hashes": wishes.asker.hashes,
        "referrer": referrer,
    }
