"""Entries of another system into the metadata tier, in bulk."""
