"""Blanks between the words of a Dockerfile."""

import re

BLANKS = re.compile(r"[\t\v\f\r ]+")
"""What separates an instruction's keyword from the rest, and the words of most instructions."""
