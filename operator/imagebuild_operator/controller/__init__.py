"""The work of the leader: reconcile each build, admit the waiting ones, sweep the finished ones, and resync."""
