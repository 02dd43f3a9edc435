"""Fragmented MP4: headers and segments."""
