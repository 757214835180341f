"""The request: the environment variables as one value. Pure."""
