"""Builds the builder image; not a part of the shim itself."""
