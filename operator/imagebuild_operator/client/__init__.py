"""The client of the API server; no other folder imports `kubernetes`."""
