"""Blanks as BuildKit's parser counts them: those of Go's `unicode.IsSpace`, which are not Python's."""

import re

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What surrounding text is trimmed of, and what ends a shell word."""

BLANKS = re.compile(r"[\t\v\f\r ]+")
"""What separates an instruction's keyword from the rest, and the words of most instructions."""
