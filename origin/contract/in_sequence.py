"""playManifest of entries one after the other: a sequence, or an entry that is a playlist.

The answer leads to the packager, whose manifests have their segments.  Pure.
"""

from metadata.errors import BadId
from metadata.ids import check_id
from metadata.records import ContentRecord
from origin.contract.play_manifest import MAX_ENTRIES, PlayManifest
from origin.contract.refusals import Number, Refused
from origin.contract.replies import Chosen
from origin.contract.serve_flavor import ServeSequence
from origin.filters.wanted import EVERYTHING
from origin.parameters import NONE


def listed_entries(playlist: ContentRecord) -> tuple[str, ...]:
    """Raises ``Refused`` for a playlist that cannot be played."""
    ids = [one for one in (playlist.playlist or "").split(",") if one]
    if not 1 <= len(ids) <= MAX_ENTRIES:
        detail = f"the playlist has {len(ids)} entries; 1 to {MAX_ENTRIES} are played"
        raise Refused(Number.WRONG_ENTRY_TYPE, detail)
    try:
        return tuple(map(check_id, ids))
    except BadId as error:
        raise Refused(Number.WRONG_ENTRY_TYPE, str(error)) from None


def in_sequence(asked: PlayManifest, own: ContentRecord, chosen: Chosen) -> ServeSequence:
    """The packager's source for *own* and what comes with it; *chosen* are flavors of the
    entry that says what the renditions are like.  Raises ``Refused``."""
    if asked.clip != NONE or asked.wanted != EVERYTHING:
        raise Refused(Number.INVALID_PARAMETER, "a part of a sequence is not supported yet")
    rows = [one for one in chosen.rows.values() if one.height is not None]
    if not rows:
        raise Refused(Number.FLAVOR_NOT_FOUND)
    recipes = [one.flavor_params_id for one in rows]
    params = tuple(one for one in recipes if one is not None)
    by_recipe = len(params) == len(set(params)) == len(rows)
    return ServeSequence(
        partner=own.partner_id,
        entry=own.id,
        before=asked.before,
        version=own.version,
        partner_version=own.partner_cache_version,
        entry_version=own.cache_version,
        params=params if by_recipe else (),
        flavors=() if by_recipe else tuple(one.id for one in rows),
    )
