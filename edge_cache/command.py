"""The options of ``headrace edge``."""

import re
from pathlib import Path
from typing import Annotated, Any

from serving.options import Options, parse_size

_STATUS_SECONDS = re.compile(r"([0-9]{3})=([0-9]{1,9}(?:\.[0-9]{1,6})?)", re.ASCII)

_option = Options("edge")


def parse_seconds_by_status(text: str) -> dict[int, float]:
    """Seconds by status: ``404=5,410=60``.

    >>> parse_seconds_by_status("404=5,410=0.5")
    {404: 5.0, 410: 0.5}
    """
    found = [_STATUS_SECONDS.fullmatch(one.strip()) for one in text.split(",")]
    if None in found:
        raise ValueError(f"{text!r} is not STATUS=SECONDS such as 404=5,410=60")
    return {int(one[1]): float(one[2]) for one in found if one is not None}


def options(
    *,
    upstream: Annotated[
        list[str],
        _option("upstream", "Where to fetch; several in order of trial.", metavar="URL"),
    ],
    shield: Annotated[
        list[str] | None,
        _option(
            "shield",
            "Cache to ask first, chosen among several by the key.",
            metavar="URL[|WEIGHT]",
        ),
    ] = None,
    upstream_ca: Annotated[
        Path | None,
        _option(
            "upstream-ca",
            "Authorities of https:// upstreams, in place of the system's.",
            exists="file",
            metavar="FILE",
        ),
    ] = None,
    health: Annotated[
        str | None, _option("health", "Path to check every upstream by.", metavar="PATH")
    ] = None,
    host: Annotated[str, _option("host", "Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, _option.port("port", "Port; 0 for a free one.")] = 8080,
    admin_port: Annotated[
        int | None, _option.port("admin-port", "Loopback port of the administration.")
    ] = None,
    admin_token_file: Annotated[
        Path | None,
        _option("admin-token-file", "File with the token to purge.", metavar="FILE"),
    ] = None,
    purge_method: Annotated[
        bool, _option("purge-method", "Take PURGE with that token on the public port.")
    ] = False,
    workers: Annotated[
        int, _option("workers", "Processes that serve.", min=1, max=256, metavar="N")
    ] = 1,
    cache_dir: Annotated[
        str | None,
        _option("cache-dir", "Folder of the disk tier; none without it.", metavar="DIR"),
    ] = None,
    ram: Annotated[
        int, _option("ram", "Size of the RAM tier.", parser=parse_size, metavar="SIZE")
    ] = "256M",  # type: ignore[assignment] # it is parsed
    disk: Annotated[
        int, _option("disk", "Size of the disk tier.", parser=parse_size, metavar="SIZE")
    ] = "10G",  # type: ignore[assignment]
    block: Annotated[
        int,
        _option(
            "block",
            "Piece in which a body not wanted whole is fetched.",
            parser=parse_size,
            metavar="SIZE",
        ),
    ] = "1M",  # type: ignore[assignment]
    early_refresh: Annotated[
        float,
        _option(
            "early-refresh",
            "Renew what is hot so long before it is stale; 0 for never.",
            metavar="SECONDS",
        ),
    ] = 10,
    stale_if_unreachable: Annotated[
        float,
        _option(
            "stale-if-unreachable",
            "Serve stale so long if no upstream can be reached and the origin names no time.",
            metavar="SECONDS",
        ),
    ] = 3600,
    heuristic: Annotated[
        float,
        _option(
            "heuristic",
            "Lifetime of what names none, as a share of the time since its last change.",
            metavar="SHARE",
        ),
    ] = 0,
    negative_ttl: Annotated[
        list[Any] | None,
        _option(
            "negative-ttl",
            "Lifetime of errors that name none: 404=5,410=60.",
            parser=parse_seconds_by_status,
            metavar="STATUS=SECONDS",
        ),
    ] = None,
    store_set_cookie: Annotated[
        bool, _option("store-set-cookie", "Store responses that set a cookie, for everyone.")
    ] = False,
    forwarded: Annotated[
        str,
        _option(
            "forwarded",
            "How upstreams learn the client's address: none, forwarded, x-forwarded-for.",
            metavar="FIELD",
        ),
    ] = "none",
    node_id: Annotated[
        str | None,
        _option("node-id", "Name in CDN-Loop; by default made up.", metavar="NAME"),
    ] = None,
    cache_status_key: Annotated[
        bool, _option("cache-status-key", "Tell the cache key in Cache-Status.")
    ] = False,
) -> dict[str, object]:
    """Cache what an origin serves, close to the players."""
    return {
        "upstreams": upstream,
        "shields": shield or [],
        "upstream_ca": upstream_ca and str(upstream_ca),
        "health": health,
        "host": host,
        "port": port,
        "admin_port": admin_port,
        "admin_token_file": admin_token_file and str(admin_token_file),
        "purge_method": purge_method,
        "workers": workers,
        "cache_dir": cache_dir,
        "disk": disk,
        "ram": ram,
        "block": block,
        "early_refresh": early_refresh,
        "stale_if_unreachable": stale_if_unreachable,
        "heuristic": heuristic,
        "negative_ttl": {
            status: seconds for given in negative_ttl or () for status, seconds in given.items()
        },
        "store_set_cookie": store_set_cookie,
        "forwarded": forwarded,
        "cache_status_key": cache_status_key,
        **({} if node_id is None else {"node_id": node_id}),
    }
