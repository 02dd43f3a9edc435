"""Objects of stores: ``s3://bucket/key``, ``gs://bucket/key``, ``az://container/key``.

Credentials, regions and end points come from the environment, under the names that obstore
documents for each kind (``AWS_…``, ``GOOGLE_…``, ``AZURE_…``).  What obstore says of an error
names addresses and keys, so that none of it is passed on.

obstore is an extra, and imported when the first object is opened: after the fork, since it
has threads of its own.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage.remote import Facts, Stream

if TYPE_CHECKING:
    from obstore import GetOptions


SCHEMES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
"""And how their variables begin."""

_PIECE = 128 << 10
"""Bytes at least of a piece of an answer."""

_CLIENT = {"connect_timeout": "5s", "timeout": "300s", "pool_max_idle_per_host": "32"}
"""The time of a whole answer is only a last resort: ``remote.Limits`` bounds its parts."""

_RETRY: Any = {
    "max_retries": 2,
    "retry_timeout": timedelta(seconds=8),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "base": 3},
}


class ObjectStores:
    """The stores that the operator allows, each opened once."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        """*allowed*: ``s3://bucket`` or ``s3://bucket/prefix``."""
        self._allowed = tuple(f"{one.rstrip('/')}/" for one in allowed)
        self._stores: dict[str, Any] = {}

    def find(self, address: str) -> "StoredObject":
        """The object at *address*, which need not be there."""
        if not address.startswith(self._allowed):
            raise SourceUnavailable("the source is not in an object store that is allowed here")
        scheme, _, rest = address.partition("://")
        bucket, _, key = rest.partition("/")
        if not bucket or {"", ".", ".."} & set(key.split("/")):
            raise NotFound("not an object's name")
        return StoredObject(self._open(f"{scheme}://{bucket}"), key)

    def _open(self, bucket: str) -> Any:
        if (known := self._stores.get(bucket)) is not None:
            return known
        try:
            from obstore.store import from_url
        except ImportError:
            raise SourceUnavailable("object stores need the extra headrace[objects]") from None
        # options given here replace all those of the environment, this one too
        variable = f"{SCHEMES[bucket.partition(':')[0]]}_ALLOW_HTTP"
        allow_http = os.environ.get(variable, "").lower() in ("1", "true", "yes", "on")
        options: Any = {**_CLIENT, "allow_http": allow_http}
        with _told():
            store = from_url(bucket, client_options=options, retry_config=_RETRY)
        self._stores[bucket] = store
        return store


class StoredObject:
    def __init__(self, store: Any, key: str) -> None:
        self._store, self._key = store, key

    async def head(self) -> Facts:
        import obstore

        with _told():
            return _facts(await obstore.head_async(self._store, self._key))

    async def get(self, start: int, stop: int, known: Facts | None) -> tuple[Facts, Stream]:
        import obstore

        options: GetOptions = {"range": (start, stop)}
        if known is not None:
            options["if_match"] = known.validator
        with _told():
            answer = await obstore.get_async(self._store, self._key, options=options)
        facts = _facts(answer.meta)
        if answer.range != (start, min(stop, facts.size)):
            raise SourceUnavailable("the object store sends another range")
        return facts, _Pieces(answer.stream(_PIECE))


class _Pieces:
    """An answer; obstore gives it up when nobody holds it any more."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream: AsyncIterator[bytes] | None = stream

    def __aiter__(self) -> "_Pieces":
        return self

    async def __anext__(self) -> bytes:
        if self._stream is None:
            raise StopAsyncIteration
        with _told():
            return await anext(self._stream)

    def close(self) -> None:
        self._stream = None


def _facts(meta: Any) -> Facts:
    etag = meta["e_tag"]
    if not etag or etag.startswith("W/"):
        raise SourceUnavailable("the object store names no strong ETag")
    return Facts(meta["size"], etag)


@contextmanager
def _told() -> Iterator[None]:
    """obstore's errors as ours."""
    from obstore.exceptions import (
        BaseError,
        InvalidPathError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    try:
        yield
    except (FileNotFoundError, InvalidPathError):
        raise NotFound("no such object") from None
    except PreconditionError:
        raise SourceChanged("the object was changed while it was read") from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise SourceUnavailable("the object store refuses access") from None
    except (BaseError, OSError, ValueError):
        raise SourceUnavailable("the object store cannot be read") from None
