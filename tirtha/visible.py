"""Whether anything of a text can be seen: what shows nothing says nothing, and is never kept."""

import re

__all__ = ["is_blank"]

# Whitespace, control and format characters (Unicode's Z*, Cc and Cf), and those of other categories that show nothing: fillers,
# variation selectors, the empty braille cell, the null notehead. Lone surrogates are refused before this is asked.
_SHOWS_NOTHING = (
    r"\s\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0000-\U000e0fff"
)
_SEEN = re.compile(f"[^{_SHOWS_NOTHING}]")


def is_blank(text: str) -> bool:
    """Return whether nothing of a text can be seen: whitespace, zero-width characters and other fillers only."""
    return _SEEN.search(text) is None
