"""Which shield a key belongs to: rendezvous hashing with weights.  Pure.

Every node computes the same order from the same names.  When a shield is taken away only its
own keys move, each to the shield that was second for it, and they spread by weight.
"""

import math
from collections.abc import Sequence
from hashlib import blake2b

from edge_cache.upstream.address import Address


class Ring:
    def __init__(self, shields: Sequence[Address]) -> None:
        self._shields = tuple(
            (shield.weight, blake2b(shield.name.encode() + b"\0", digest_size=8))
            for shield in shields
        )

    def order(self, key: bytes) -> list[int]:
        """The places of all shields in the sequence given, the best for *key* first."""
        scores = []
        for weight, named in self._shields:
            hashed = named.copy()
            hashed.update(key)
            # 52 bits and a half are exact in a float, and neither 0 nor 1.
            drawn = ((int.from_bytes(hashed.digest()) >> 12) + 0.5) / 2**52
            scores.append(-weight / math.log(drawn))
        return sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
