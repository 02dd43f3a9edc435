"""What a decoder must be told, per codec: configuration records, codec strings, framing."""
