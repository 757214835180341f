"""Blanks as Go counts them: those of `unicode.IsSpace`, which are not Python's."""

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What surrounding text is trimmed of, and what ends a shell word."""
