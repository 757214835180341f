"""The log: masking, lines, format and phases."""
