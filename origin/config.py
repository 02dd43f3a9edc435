"""Everything about an origin that an operator may change."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_STORE = re.compile(r"(s3|gs|az)://[^/@?#\s]+(/[^?#\s]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginConfig:
    data: str | Path
    """Directory of the database, or its URL."""

    host: str = "127.0.0.1"
    port: int = 8081
    """0 picks a free one."""

    admin_port: int | None = None
    """Of the administration listener, on the loopback interface; None for none."""

    admin_token: str | None = None
    """That asks there for more than health and metrics; None refuses it."""

    data_center: int = 0
    """Number of the one whose files are here (``pathOnly``)."""

    workers: int = 1

    local_root: Path | None = None
    """Directory below which ``local/`` finds files; None turns ``local/`` off."""

    object_stores: tuple[str, ...] = ()
    """Object stores whose objects may be sources, ``s3://bucket`` or ``s3://bucket/prefix``;
    their credentials come from the environment."""

    remote_hosts: tuple[str, ...] = ()
    """HTTP servers whose files may be sources: ``host`` (at its usual port), ``host:port``."""

    remote_private: bool = False
    """Those servers may have private, loopback and link-local addresses."""

    source_allow: tuple[str, ...] = ()
    """Where else media may be: folders (for mappings), ``s3://bucket/prefix``,
    ``https://host/path/``."""

    remote_upstream: str | None = None
    """Address behind which ``remote/`` and mappings find files; its query goes with every
    request.  It may be a private one."""

    mapping_root: Path | None = None
    """Directory below which ``mapped/`` finds mappings, as files."""

    mapping_upstream: str | None = None
    """Address behind which ``mapped/`` asks for mappings, in place of files; as above."""

    mapped_default: bool = False
    """What begins like no other source is the name of a mapping."""

    mapping_path_prefix: str | None = None
    """What stands before the path in an answer that is no JSON."""

    mapping_path_postfix: str | None = None
    """What stands behind it."""

    mapping_ttl: float = 10.0
    """Seconds until a mapping is asked for again."""

    mapping_cache: int = 32 << 20
    """Bytes of mappings that a worker keeps."""

    manifest_hook: str | None = None
    """Name of an entry point of the group ``headrace.manifest``, which edits what manifests
    list; None for none."""

    page_entry: str | None = None
    """Entry that the demo page plays; None turns the page off."""

    players: Path | None = None
    """The ``node_modules`` that holds the page's players."""

    index_cache: int = 256 << 20
    """Bytes of flavor indexes that a worker keeps."""

    manifest_cache: int = 64 << 20
    """Bytes of manifests that a worker keeps."""

    plan_cache: int = 32 << 20
    """Bytes of segment plans that a worker keeps."""

    open_files: int = 512
    """Source files that a worker keeps open."""

    requests: int = 512
    """Requests that a worker carries out at once; past it they are answered 503."""

    connections: int = 4096
    """Connections of a worker; past it they are closed."""

    built_bytes: int = 256 << 20
    """Bytes of segments that must be built whole before they are sent, at once."""

    send_window: int = 1 << 20
    """Bytes of a response that are read ahead of the client."""

    ahead_bytes: int = 128 << 20
    """Bytes of responses that are read ahead from other machines, at once; past it they are
    read a window at a time."""

    picture_processes: int = 1
    """Processes of a worker that draw pictures, begun with the first one; 0 for no pictures."""

    thumb_exact: bool = False
    """A ``thumb-`` is the frame of its time, and not the key frame beside it."""

    thumb_sheets: bool = False
    """Manifests list sheets of thumbnails where their path does not say."""

    sendfile: bool = False
    """Long runs of a file go from the page cache to the socket without being copied.  For files
    that are replaced and never written over: what is on its way is the file's own memory."""

    minimum_rate: int = 8 << 10
    """Bytes per second that a client must take, averaged over a window."""

    patience: float = 20.0
    """Seconds that a client may pause on top of that."""

    drain: float = 30.0
    """Seconds for responses to finish after SIGTERM."""

    def __post_init__(self) -> None:
        for name in ("port", "admin_port"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 65535:
                raise ValueError(f"{name}: {value} is not a port")
        if not 0 <= self.data_center < 2**31:
            raise ValueError(f"data_center: {self.data_center} is no data centre")
        if not 0 <= self.picture_processes <= 64:
            raise ValueError(
                f"picture_processes: {self.picture_processes} is not between 0 and 64"
            )
        if not 1 <= self.workers <= 256:
            raise ValueError(f"workers: {self.workers} is not between 1 and 256")
        positive = (
            "index_cache", "manifest_cache", "plan_cache", "open_files", "requests",
            "connections", "built_bytes", "send_window", "ahead_bytes", "minimum_rate",
            "mapping_cache",
        )  # fmt: skip
        for name in positive:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be positive")
        for store in self.object_stores:
            if _STORE.fullmatch(store) is None:
                raise ValueError(f"object_stores: {store} is not s3://bucket or the like")
        if not 0 <= self.mapping_ttl <= 86400:
            raise ValueError(f"mapping_ttl: {self.mapping_ttl:g} is not between 0 and 86400")
        for name in ("local_root", "mapping_root"):
            folder = getattr(self, name)
            if folder is not None and not folder.is_dir():
                raise ValueError(f"{name}: {folder} is not a directory")
        if self.mapping_root is not None and self.mapping_upstream is not None:
            raise ValueError("mapping_root: not together with an upstream of mappings")
        for name in ("remote_upstream", "mapping_upstream"):
            address = getattr(self, name)
            if address is not None and not _is_address(address):
                raise ValueError(f"{name}: not http://host/path, without user and password")
        for place in self.source_allow:
            stored = _STORE.fullmatch(place) or (_is_address(place) and "?" not in place)
            if not stored and not Path(place).is_absolute():
                raise ValueError(
                    "source_allow: neither a folder nor s3://bucket or https://host/path"
                )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.username is None
        and port != 0
        and not parts.fragment
        and text.isascii()
        and text.isprintable()
        and " " not in text
        and not {".", ".."} & set(parts.path.split("/"))
    )
