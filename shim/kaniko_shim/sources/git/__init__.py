"""Git repositories over HTTP and SSH."""
