"""COPY and ADD, rewritten where the executor interprets them differently from BuildKit."""
