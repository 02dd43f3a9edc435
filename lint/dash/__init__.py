"""DASH: the MPD and its segments."""
