"""The user that a RUN step runs as, found as Docker finds it."""
