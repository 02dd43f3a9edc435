"""Sizes of a transport packet (ISO/IEC 13818-1 §2.4.3).

| sync | flags, PID | control | [adaptation field] payload |
  1      2            1         184
"""

PACKET_SIZE = 188
BODY_SIZE = 184
CLOCK_FIELD_SIZE = 8
"""An adaptation field that carries a PCR: length, flags, 33 + 6 + 9 bits."""
