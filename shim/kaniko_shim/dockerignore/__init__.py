"""`.dockerignore` by Docker's rules: those of moby/patternmatcher, and of BuildKit's walk through a context."""
