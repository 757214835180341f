"""The situations in which the executor or crane fails: what it prints, and what that means."""
