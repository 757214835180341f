"""The language of Dockerfiles."""
