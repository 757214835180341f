"""Where a build context comes from: one module per kind of source."""
