"""The page: a read-only view of builds, on this machine."""
