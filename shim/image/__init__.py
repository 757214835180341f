"""Makes the builder image; no part of the shim itself."""
