"""`.dockerignore` by Docker's rules: those of moby/patternmatcher, and of BuildKit's walk through a context.

The builder image applies them to every context, and the SDK to a directory before it is sent: one implementation, so
that a build has the same files however they reach it.
"""
