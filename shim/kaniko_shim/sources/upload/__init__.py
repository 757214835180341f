"""An upload of the build context into the container."""
