"""XML elements as text (XML 1.0), for documents that are written once, in order.

Values are escaped here and nowhere else; what XML cannot carry at all is left out.
"""

import re
from collections.abc import Mapping

Attributes = Mapping[str, str | int | None]
"""In the order of writing; those that are None are left out."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no ``Char`` (§2.2): controls and lone surrogates cannot even be escaped."""

_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)
"""White space too: in an attribute a parser would turn it into a space (§3.3.3)."""


def element(name: str, attributes: Attributes, *children: str) -> str:
    """``<name …>`` with *children*, each an element, indented below it."""
    pairs = (f' {k}="{escaped(str(v))}"' for k, v in attributes.items() if v is not None)
    start = f"<{name}{''.join(pairs)}"
    if not children:
        return f"{start}/>"
    inside = "\n".join(children).replace("\n", "\n  ")
    return f"{start}>\n  {inside}\n</{name}>"


def text_element(name: str, text: str) -> str:
    """``<name>text</name>``."""
    return f"<{name}>{escaped(text)}</{name}>"


def escaped(text: str) -> str:
    return _NOT_XML.sub("", text).translate(_ESCAPES)
