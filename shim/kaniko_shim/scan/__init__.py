"""Looks for known vulnerabilities in an image before it is pushed."""
