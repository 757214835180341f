"""The executor: its command line, its output, and what ended it."""
