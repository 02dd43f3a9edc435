"""What each ``format`` is answered with, and which flavors it takes (contract §2.1)."""

from dataclasses import dataclass
from enum import StrEnum

Groups = tuple[tuple[str, ...], ...]
"""Tags; the first group that any flavor has a tag of wins."""


class Output(StrEnum):
    """What players in the end receive."""

    PROGRESSIVE = "progressive"
    DOWNLOAD = "download"
    HLS = "hls"
    DASH = "dash"
    SMOOTH = "smooth"
    HDS = "hds"


class Reply(StrEnum):
    """How a request is answered."""

    MASTER = "m3u8"
    REDIRECT = "redirect"
    JSON = "json"
    JSONP = "jsonp"


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the contract's table."""

    name: str
    groups: Groups
    output: Output | None = None
    """None where the part is not built."""

    reply: Reply | None = None
    """Unless the request names another; None where that one is not built."""

    @property
    def many(self) -> bool:
        """Whether it takes all flavors that fit, or one."""
        return self.output not in (Output.PROGRESSIVE, Output.DOWNLOAD, None)


_WEB: Groups = (("mbr",), ("web",))
_PADS: Groups = (("ipadnew", "iphonenew"), ("ipad", "iphone"))
FORMATS = {
    row.name: row
    for row in (
        # F4M, which progressive players were told of, is gone: it has no reply of its own.
        Format("http", _WEB, Output.PROGRESSIVE),
        Format("url", _WEB, Output.PROGRESSIVE, Reply.REDIRECT),
        Format("download", _WEB, Output.DOWNLOAD, Reply.REDIRECT),
        Format("applehttp", (("applembr",), *_PADS), Output.HLS, Reply.MASTER),
        # plain "hls" has no default tags of its own
        Format("hls", _WEB, Output.HLS, Reply.MASTER),
        Format("mpegdash", (("dash",), *_PADS), Output.DASH, Reply.REDIRECT),
        # these two are packaged elsewhere: a delivery profile says where
        Format("sl", (("ism",), ("ipadnew", "iphonenew")), Output.SMOOTH, Reply.REDIRECT),
        Format("hds", (("applembr",), *_PADS), Output.HDS, Reply.REDIRECT),
        Format("rtsp", _WEB),
        Format("hdnetworkmanifest", _WEB),
        Format("hdnetwork", _WEB),
        Format("hdnetworksmil", _WEB),
        Format("rtmp", _WEB),
        Format("multicast_silverlight", _WEB),
        Format("applehttp_to_mc", _WEB),
        Format("auto", _WEB),
    )
}
DEFAULT_FORMAT = "http"
NOT_BUILT_REPLIES = frozenset({"f4m", "f4mv2", "smil"})
