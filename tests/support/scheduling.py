"""The scheduling of this process, kept from encoders."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ordinary() -> Iterator[None]:
    """SVT-AV1 makes the process real-time where it may, which is as root: it and whatever it
    starts later, a browser for one, then keep everybody else from running."""
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
