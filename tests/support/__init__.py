"""Helpers that several tests share: processes, ports, and things only the system can give."""
