"""The options of ``headrace origin``."""

from pathlib import Path
from typing import Annotated

from serving.options import Options, parse_size

_option = Options("origin")


def options(
    *,
    data: Annotated[
        str, _option("data", "Folder of the database, or its URL.", metavar="DIR")
    ] = "headrace-data",
    host: Annotated[str, _option("host", "Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, _option.port("port", "Port; 0 for a free one.")] = 8081,
    admin_port: Annotated[
        int | None, _option.port("admin-port", "Loopback port of the administration.")
    ] = None,
    admin_token_file: Annotated[
        Path | None,
        _option("admin-token-file", "File with the token to ask it.", metavar="FILE"),
    ] = None,
    data_center: Annotated[
        int,
        _option(
            "data-center",
            "Number of the one whose files are here.",
            min=0,
            max=2**31 - 1,
            metavar="N",
        ),
    ] = 0,
    workers: Annotated[
        int, _option("workers", "Processes that serve.", min=1, max=256, metavar="N")
    ] = 1,
    local_root: Annotated[
        Path | None,
        _option(
            "local-root", "Folder whose files local/ serves.", exists="folder", metavar="DIR"
        ),
    ] = None,
    object_store: Annotated[
        list[str] | None,
        _option(
            "object-store",
            "Bucket whose objects may be sources: s3://bucket or s3://bucket/prefix.",
            metavar="URL",
        ),
    ] = None,
    remote_host: Annotated[
        list[str] | None,
        _option(
            "remote-host",
            "HTTP server whose files may be sources.",
            metavar="HOST[:PORT]",
        ),
    ] = None,
    remote_private: Annotated[
        bool, _option("remote-private", "Those servers may have private addresses.")
    ] = False,
    source_allow: Annotated[
        list[str] | None,
        _option(
            "source-allow",
            "Where else media may be: a folder, s3://bucket/prefix, https://host/path.",
            metavar="PREFIX",
        ),
    ] = None,
    remote_upstream: Annotated[
        str | None,
        _option("remote-upstream", "Server whose files remote/ serves.", metavar="URL"),
    ] = None,
    mapping_root: Annotated[
        Path | None,
        _option(
            "mapping-root",
            "Folder whose mappings mapped/ plays.",
            exists="folder",
            metavar="DIR",
        ),
    ] = None,
    mapping_upstream: Annotated[
        str | None,
        _option("mapping-upstream", "Server that mapped/ asks for mappings.", metavar="URL"),
    ] = None,
    mapped_default: Annotated[
        bool, _option("mapped-default", "Any other path is the name of a mapping, too.")
    ] = False,
    mapping_path_prefix: Annotated[
        str | None,
        _option(
            "mapping-path-prefix",
            "What stands before the path in an answer that is no JSON.",
            metavar="TEXT",
        ),
    ] = None,
    mapping_path_postfix: Annotated[
        str | None,
        _option("mapping-path-postfix", "What stands behind it.", metavar="TEXT"),
    ] = None,
    mapping_ttl: Annotated[
        float,
        _option(
            "mapping-ttl",
            "Ask for a mapping again after so long.",
            min=0,
            max=86400,
            metavar="SECONDS",
        ),
    ] = 10,
    index_cache: Annotated[
        int,
        _option(
            "index-cache",
            "Flavor indexes that a worker keeps.",
            parser=parse_size,
            metavar="SIZE",
        ),
    ] = "256M",  # type: ignore[assignment] # it is parsed
    plan_cache: Annotated[
        int,
        _option(
            "plan-cache",
            "Segment plans that a worker keeps.",
            parser=parse_size,
            metavar="SIZE",
        ),
    ] = "32M",  # type: ignore[assignment]
    open_files: Annotated[
        int, _option("open-files", "Files that a worker keeps open.", min=1, metavar="N")
    ] = 512,
    picture_processes: Annotated[
        int,
        _option(
            "picture-processes",
            "Processes of a worker that draw pictures; 0 for no pictures.",
            min=0,
            max=64,
            metavar="N",
        ),
    ] = 1,
    thumb_exact: Annotated[
        bool, _option("thumb-exact", "A thumb- is the very frame, not the key frame beside it.")
    ] = False,
    thumb_sheets: Annotated[
        bool, _option("thumb-sheets", "Manifests list sheets of thumbnails for seek previews.")
    ] = False,
    sendfile: Annotated[
        bool, _option("sendfile", "Send long runs uncopied; files are never written over.")
    ] = False,
    manifest_hook: Annotated[
        str | None,
        _option(
            "manifest-hook",
            "Installed function that edits what manifests list.",
            metavar="NAME",
        ),
    ] = None,
    page_entry: Annotated[
        str | None, _option("page-entry", "Entry of the page.", hidden=True)
    ] = None,
    players: Annotated[
        Path | None, _option("players", "Folder of the players.", hidden=True)
    ] = None,
) -> dict[str, object]:
    """Package stored flavors into HLS and DASH, and serve them."""
    return {
        "data": data,
        "host": host,
        "port": port,
        "admin_port": admin_port,
        "admin_token_file": admin_token_file and str(admin_token_file),
        "data_center": data_center,
        "workers": workers,
        "local_root": local_root and str(local_root),
        "object_stores": object_store or [],
        "remote_hosts": remote_host or [],
        "remote_private": remote_private,
        "source_allow": source_allow or [],
        "remote_upstream": remote_upstream,
        "mapping_root": mapping_root and str(mapping_root),
        "mapping_upstream": mapping_upstream,
        "mapped_default": mapped_default,
        "mapping_path_prefix": mapping_path_prefix,
        "mapping_path_postfix": mapping_path_postfix,
        "mapping_ttl": mapping_ttl,
        "index_cache": index_cache,
        "plan_cache": plan_cache,
        "open_files": open_files,
        "picture_processes": picture_processes,
        "thumb_exact": thumb_exact,
        "thumb_sheets": thumb_sheets,
        "sendfile": sendfile,
        "manifest_hook": manifest_hook,
        "page_entry": page_entry,
        "players": players and str(players),
    }
