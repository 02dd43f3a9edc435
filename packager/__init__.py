"""Bytes and tables in; plans, bytes and text out.

Pure: no sockets, files, clocks, threads or async.  Where more bytes of a source are needed,
a function is a generator that yields the extents it wants (``packager.plan.Reads``) and the
shell feeds it.
"""

LAYOUT = 2
"""Raised whenever the bytes of any output change, so that recipe tokens change with them."""
