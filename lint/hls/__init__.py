"""HLS: playlists, one by one and together."""
