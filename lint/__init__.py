"""The checker of packaging rules, with parsers of its own: ``headrace lint``."""
