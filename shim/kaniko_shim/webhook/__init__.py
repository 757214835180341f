"""Webhooks of Git servers and registries, which make watchers look at once."""
