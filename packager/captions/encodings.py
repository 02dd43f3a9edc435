"""Bytes of a caption file to lines of text."""

import codecs

from packager.captions.cues import MAX_BYTES, MAX_LINES, MalformedCaptions

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FALLBACK = "windows-1252"
"""Of a file that is neither UTF-8 nor marked: Latin-1 with printable characters where that has
controls, which is what the name "latin-1" means on the web (WHATWG Encoding §4.2)."""


def decode(data: bytes) -> tuple[str, str]:
    """The text of *data* with line feeds only, and the encoding that it was read in.

    A byte order mark decides, else UTF-8 if it is valid; what is in neither is read in
    ``FALLBACK``.  Raises ``MalformedCaptions`` for what is too large or is not text.
    """
    if len(data) > MAX_BYTES:
        raise MalformedCaptions(1, f"{len(data)} bytes are more than {MAX_BYTES}")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None:
        try:
            text, encoding = data.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            text, encoding = data.decode("cp1252", "replace"), FALLBACK
    else:
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (at := text.find("\0")) >= 0:
        raise MalformedCaptions(text.count("\n", 0, at) + 1, "a NUL: this is no text")
    if (lines := text.count("\n")) > MAX_LINES:
        raise MalformedCaptions(MAX_LINES, f"{lines} lines are more than {MAX_LINES}")
    return text, encoding
