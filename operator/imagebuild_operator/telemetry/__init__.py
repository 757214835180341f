"""Metrics, traces, logs and health of the operator."""
