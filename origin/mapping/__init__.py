"""Mapped mode: a name in a URL to the sequences of a mapping JSON, nginx-vod-module's grammar.

    media_set   what a mapping says, as values
    grammar     JSON → MediaSet; what is not built is refused by name
    places      where a mapping may find media
    fetching    the JSON itself: a file below a folder, or an answer of an upstream
    mappings    fetched mappings in memory, and those that they replaced
    keeping     the same as files, for the other workers
    mapped      all of it as the operator set it up
    dressing    which tracks of a file, and what is said of them

``docs/mapping.md`` has the table of fields.
"""
