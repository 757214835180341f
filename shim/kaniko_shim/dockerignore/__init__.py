"""Applies `.dockerignore` to a context; what it means is in the package imagebuild_dockerignore."""
