"""The pushes of a while, as proof that later builds like them may push. A restart forgets them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.decide.push_proof import PushProof, PushProofs

#: Proofs that are remembered. The oldest goes first.
MAX_PROOFS: Final = 10_000


class KnownPushes:
    """Each proof counts for some time after the push that gave it."""

    def __init__(self, seconds: float, most: int = MAX_PROOFS) -> None:
        """Start empty.

        Args:
            seconds: How long a proof counts, in seconds; 0 for not at all.
            most: How many are remembered.
        """
        self._lifetime = timedelta(seconds=seconds)
        self._most = most
        #: When each was given, the oldest first.
        self._given: dict[PushProof, datetime] = {}

    def succeeded(self, proofs: Iterable[PushProof], now: datetime) -> None:
        """Remember what a push has proven."""
        for proof in proofs:
            self._given.pop(proof, None)
            self._given[proof] = now
        while len(self._given) > self._most:
            del self._given[next(iter(self._given))]

    def refused(self, proofs: Iterable[PushProof]) -> None:
        """Forget what a push has disproven."""
        for proof in proofs:
            self._given.pop(proof, None)

    def known(self, now: datetime) -> PushProofs:
        """The proofs that count now."""
        while self._given:
            oldest = next(iter(self._given))
            if now - self._given[oldest] < self._lifetime:
                break
            del self._given[oldest]
        return self._given.keys()
