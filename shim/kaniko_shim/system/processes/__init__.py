"""Runs programs, and ends them and this one."""
