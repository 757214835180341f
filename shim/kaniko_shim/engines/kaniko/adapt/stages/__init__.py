"""Which stages are built, and what their FROM means: triggers, names, numbers and platforms."""
