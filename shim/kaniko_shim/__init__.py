"""kaniko-shim: turns environment variables into a run of the kaniko executor."""

__version__ = "0.1.0"
