"""The table of environment variables, by subject."""
