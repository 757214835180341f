"""The running process: kopf and its watches, login, metrics and probes."""
