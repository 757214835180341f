"""Checks of doctor: facts of a cluster, and what is wrong with them."""
