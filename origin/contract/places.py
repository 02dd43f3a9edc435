"""Where the files of flavors are: here, or in a remote storage (contract §2.1 step 5, §2.8).

A flavor's own ``path`` is its file here, unless a row of ``file_sync`` for our data centre says
otherwise.  A row for another ``dc`` counts where a storage profile has that id: its ``url`` and
``base_dir`` before the row's path make the name of a source, which must be allowed like any
other.  Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from metadata.enums import StorageProtocol, StorageStatus
from metadata.errors import BadRow
from metadata.partner_records import StorageRecord
from metadata.records import AssetRecord
from origin.contract.selection import LOCAL, Priority, fullest

_ADDRESS = re.compile(r"(?:https?|s3|gs|az)://[^/?#]+[^?#]*")
_NAME = re.compile(r"/|(?:https?|s3|gs|az)://[^/]")
_SAFE = "/,:@!$&'()*+;=~"


@dataclass(frozen=True, slots=True)
class Storage:
    base: str
    """A folder or an address, without a slash behind."""

    def name(self, flavor: str, path: str) -> str:
        """Of the source at *path* in it.  Raises ``BadRow``."""
        if _ADDRESS.match(path):
            return path
        if {".", ".."} & set(path.split("/")):
            raise BadRow("file_sync", flavor, "file_path has dots")
        # in an address of HTTP, a "?" of a file's name would end the path
        path = quote(path, safe=_SAFE) if self.base.startswith("http") else path
        return f"{self.base}/{path.lstrip('/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """A partner's storages."""

    priority: Priority = Priority.OWN_FIRST
    known: Mapping[int, Storage] = field(default_factory=dict)
    """By id: those that are in use, and that can be read from."""


NO_STORAGES = Storing()


def storages_of(rows: Iterable[StorageRecord]) -> dict[int, Storage]:
    """Without those that are disabled, or name no place that can be read from."""
    found = ((row.id, _base(row)) for row in rows if row.status != StorageStatus.DISABLED)
    return {id_: Storage(base.rstrip("/")) for id_, base in found if base}


def _base(row: StorageRecord) -> str:
    folder = row.base_dir.strip("/")
    if {".", ".."} & set(folder.split("/")):
        return ""
    if _ADDRESS.fullmatch(row.url):
        return f"{row.url.rstrip('/')}/{folder}"
    match row.protocol:
        case StorageProtocol.S3:  # its url is an end point: the environment tells that
            return f"s3://{folder}" if folder else ""
        case StorageProtocol.LOCAL | StorageProtocol.DATA_CENTRE:
            return row.base_dir if row.base_dir.startswith("/") and not row.url else ""
    return ""


def places_of(flavor: AssetRecord, dc: int, known: Mapping[int, Storage]) -> dict[int, str]:
    """Names of sources by the number of the storage, ``LOCAL`` for data centre *dc*, ours.

    Raises ``BadRow``.
    """
    here = [one for one in flavor.copies if one.dc == dc]
    found = {} if here else {LOCAL: flavor.path}
    for one in flavor.copies:
        if not one.ready or not one.path:
            continue
        if one.dc == dc:
            if not _NAME.match(one.path):
                raise BadRow(
                    "file_sync", flavor.id, "its path is neither absolute nor an address"
                )
            found.setdefault(LOCAL, one.path)
        elif one.dc in known:
            found.setdefault(one.dc, known[one.dc].name(flavor.id, one.path))
    return found


def placed(
    flavors: Sequence[AssetRecord], dc: int, storing: Storing, preferred: tuple[int, ...] = ()
) -> tuple[AssetRecord | None, ...]:
    """Each of *flavors* with the name of the source to read as its path; None where it is
    nowhere.  The storages *preferred*, ids, go before all.

    The bytes are the same in all of them: a version is never written over.
    """
    places = [places_of(one, dc, storing.known) for one in flavors]
    best = fullest(places)
    found: list[AssetRecord | None] = []
    for flavor, own in zip(flavors, places, strict=True):
        order = (*preferred, *storing.priority.ordered([*best, *sorted(own)]))
        number = next((one for one in order if one in own), None)
        found.append(None if number is None else _at(flavor, own[number]))
    return tuple(found)


def _at(flavor: AssetRecord, path: str) -> AssetRecord:
    return flavor if flavor.path == path else replace(flavor, path=path)
