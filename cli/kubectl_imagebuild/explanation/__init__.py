"""What the operator does with a build, by its own rules."""
