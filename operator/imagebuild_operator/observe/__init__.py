"""From API objects to facts: pods, termination messages, logs and Events. Pure."""
