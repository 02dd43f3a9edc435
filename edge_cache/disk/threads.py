"""The threads of a process that read from a disk for requests.

Apart from the loop's own: while a disk hangs, these do, and metrics must not wait behind them.
"""

from concurrent.futures import ThreadPoolExecutor

READERS = ThreadPoolExecutor(8, "disk-read")
"""Made before the fork: it starts its threads when they are needed."""
