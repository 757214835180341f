"""Background work of any program: the work queue, the backoff, and supervised tasks."""
