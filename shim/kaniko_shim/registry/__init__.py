"""Registries: image names, credentials, pulls and pushes."""
