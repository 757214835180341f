"""The language of Dockerfiles and `.dockerignore` files."""
