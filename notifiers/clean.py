"""Text from elsewhere (metric names, dimension values, SQL errors) made safe to show on one line."""

from __future__ import annotations

import unicodedata

# Letters by category that show nothing: combining grapheme joiner, Hangul fillers, Mongolian and braille blanks.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u2800\u3164\uffa0")
_ELLIPSIS = "…"


def clean(text: str, limit: int = 200) -> str:
    """One line of at most ``limit`` characters without control, zero-width, bidi, surrogate or private characters.

    >>> clean("two\\nlines, a\\u202e trick and a \\x00")
    'two lines, a trick and a'
    >>> clean("abcdef", limit=4)
    'abc…'
    """
    # Only the beginning can be shown: a name of megabytes is not read to its end.
    shown = "".join(_shown(character) for character in text[: 4 * limit + 64])
    return bounded(" ".join(shown.split()), limit)


def bounded(text: str, limit: int) -> str:
    """``text``, or its beginning and an ellipsis; never longer than ``limit`` characters."""
    if len(text) <= limit:
        return text
    return text[: max(limit - 1, 0)].rstrip() + _ELLIPSIS


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    if character in _INVISIBLE or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return ""
    return character
