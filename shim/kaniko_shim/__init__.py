"""kaniko-shim: turns environment variables into a run of the kaniko executor."""
