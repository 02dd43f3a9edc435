"""EXT-X-KEY and EXT-X-SESSION-KEY: rule P-07."""

import re

from lint.findings import Say
from lint.hls.grammar import Attributes, Line

_IV = re.compile(r"0[xX][0-9A-Fa-f]{1,32}")
METHODS = ("NONE", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR")


def check_key(line: Line, found: Attributes, say: Say) -> str:
    """The METHOD; empty of NONE."""
    method = found["METHOD"].text if "METHOD" in found else ""
    if method not in METHODS:
        say("P-07.method", line.place, f"METHOD {method!r}")
    if method == "NONE":
        if len(found) > 1:
            say(
                "P-07.none",
                line.place,
                f"NONE with {' '.join(sorted(set(found) - {'METHOD'}))}",
            )
        if line.tag == "EXT-X-SESSION-KEY":
            say("P-07.session", line.place, "METHOD NONE")
        return ""
    if "URI" not in found or found["URI"].kind != "quoted":
        say("P-07.uri", line.place, f"{method} without a quoted URI")
    if "IV" in found and (found["IV"].kind == "quoted" or not _IV.fullmatch(found["IV"].text)):
        say("P-07.iv", line.place, f"IV {found['IV'].text[:40]}")
    form = found["KEYFORMAT"].text if "KEYFORMAT" in found else "identity"
    if form == "com.apple.streamingkeydelivery" and method == "AES-128":
        say("P-07.fairplay", line.place, "FairPlay with AES-128")
    return method
