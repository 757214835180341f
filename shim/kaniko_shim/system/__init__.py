"""The process's surroundings: child processes, signals, paths and time."""
