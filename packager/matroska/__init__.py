"""Matroska and WebM (RFC 8794, RFC 9559) to tracks and neutral sample tables, in place."""
