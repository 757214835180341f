"""The Dockerfile: parsing it, and adapting it to what the executor supports."""
