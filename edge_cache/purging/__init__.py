"""Purging: what was stored before a moment is not served after it.

A purge is a record with a number of its own; an entry knows the number that was current when
its fill began.  Nothing has to be found for a purge to hold: an entry is purged if a record
that matches it has a later number.  ``names`` and ``tags`` say what a purge is about, ``rules``
decides, ``records`` is what the journal keeps, ``purges`` is one worker's view of it.
"""
