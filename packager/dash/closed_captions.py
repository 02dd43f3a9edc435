"""Captions within the pictures, as Accessibility descriptors (SCTE 214-1, DASH-IF IOP §6.4.3).

urn:scte:dash:cc:cea-608:2015   CC1=eng;CC3=spa
urn:scte:dash:cc:cea-708:2015   1=lang:eng;2=lang:spa
"""

from collections.abc import Iterable

from packager.dash.element import element
from packager.presentation import ClosedCaptions

_SERVICE = "SERVICE"
_UNKNOWN = "und"


def closed_captions(captions: Iterable[ClosedCaptions]) -> list[str]:
    """The descriptors of *captions*."""
    channels, services = [], []
    for one in captions:
        if one.id.startswith(_SERVICE):
            services.append(f"{one.id.removeprefix(_SERVICE)}=lang:{one.code or _UNKNOWN}")
        else:
            channels.append(f"{one.id}={one.code or _UNKNOWN}")
    return [
        _accessibility(name, values)
        for name, values in (("608", channels), ("708", services))
        if values
    ]


def _accessibility(name: str, values: list[str]) -> str:
    scheme = f"urn:scte:dash:cc:cea-{name}:2015"
    return element("Accessibility", {"schemeIdUri": scheme, "value": ";".join(values)})
