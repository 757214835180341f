"""Registries: references, credentials, and pushing."""
