"""RUN: what it runs, its heredocs and its mounts."""
