"""Output where whoever started the process closed a stream, and text that a terminal may show."""

from __future__ import annotations

import os
import sys

# ASCII controls have pictures; others, and marks that turn the direction of text, get codes.
_SHOWN: dict[int, str | int | None] = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


def repair() -> None:
    """Make the three streams and the width of the terminal usable.

    A stream that was closed (``>&-``) leads nowhere, so that no file gets its number. Letters that
    the terminal does not have are shown by their codes. A width that is no number above 0 goes.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    for name in ("COLUMNS", "LINES"):
        value = os.environ.get(name, "1")
        if not (value.isascii() and value.isdigit() and 0 < int(value) < 10_000):
            del os.environ[name]


def visible(text: str) -> str:
    r"""Return a text with every control character shown, so that none reaches the terminal.

    Ends of lines and tabs stay.

    Examples
    --------
    >>> visible("a\x1b[2Jb")
    'a␛[2Jb'
    """
    return text.translate(_SHOWN)
