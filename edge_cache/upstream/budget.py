"""How many requests may be sent a second time, so that a dying server does not get more load
for dying.  Pure."""


class RetryBudget:
    """A bucket: every request pours in *share* of a retry, *burst* is all that it holds."""

    def __init__(self, share: float, burst: float) -> None:
        self._share = share
        self._burst = self._tokens = burst

    def deposit(self) -> None:
        """A request has come."""
        self._tokens = min(self._burst, self._tokens + self._share)

    def withdraw(self) -> bool:
        """Whether one may be repeated; counted if so."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
