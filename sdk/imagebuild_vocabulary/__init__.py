"""What operator, builder, SDK and kubectl plugin all know: names, phases, and lines of the log."""
