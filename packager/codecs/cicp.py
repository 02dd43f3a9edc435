"""ChannelConfiguration of coding-independent code points (ISO/IEC 23091-3 table 10).

MPEG's audio codecs write these very numbers; AAC had the first of them.
"""

CHANNELS = {
    1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 8: 2, 9: 3, 10: 4, 11: 7, 12: 8, 13: 24, 14: 8,
    15: 12, 16: 10, 17: 12, 18: 14, 19: 12, 20: 14,
}  # fmt: skip
"""How many channels the layout of each has."""
