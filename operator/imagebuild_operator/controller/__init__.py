"""The shell: kopf handlers, watches, the work queue, and the one client of the API server."""
