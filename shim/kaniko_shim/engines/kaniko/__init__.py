"""The engine that runs the kaniko executor; its door is `build`."""
