"""From facts to a plan: phase, retries, whose turn it is, and what to keep. Pure."""
