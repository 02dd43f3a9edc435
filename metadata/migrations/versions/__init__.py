"""One module a version of the tables, named ``r`` and its number."""
