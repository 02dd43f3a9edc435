"""HTTP grammar, pure: text in, values out.  The origin reads it too."""
