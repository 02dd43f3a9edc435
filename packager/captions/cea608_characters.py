"""The characters of line 21 (ANSI/CTA-608-E Tables 49 to 52 and 5 to 10)."""

_BASIC = {
    0x27: "’", 0x2A: "á", 0x5C: "é", 0x5E: "í", 0x5F: "ó", 0x60: "ú",
    0x7B: "ç", 0x7C: "÷", 0x7D: "Ñ", 0x7E: "ñ", 0x7F: "█",
}  # fmt: skip
"""Where they are not those of ASCII."""

SPECIAL = "®°½¿™¢£♪à\u00a0èâêîôû"
"""Behind 0x11, from 0x30."""

EXTENDED = (
    "ÁÉÓÚÜü‘¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»",
    "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘",
)
"""Behind 0x12 and 0x13, from 0x20."""


def basic(code: int) -> str:
    return _BASIC.get(code) or chr(code)
