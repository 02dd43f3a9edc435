"""Where media bytes come from."""
