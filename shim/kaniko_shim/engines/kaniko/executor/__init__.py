"""The kaniko executor: its command line, its output, and the instruction that failed."""
