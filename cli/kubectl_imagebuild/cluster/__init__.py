"""Reading a cluster with the rights of the user."""
