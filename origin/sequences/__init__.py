"""Entries one after the other: manifests whose media is that of the entries."""
