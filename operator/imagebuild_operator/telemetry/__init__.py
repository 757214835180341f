"""Metrics, traces, the operator's log and its health."""
