"""RUN --mount: prepares the mounts of a step while the executor runs it, and takes them away afterwards."""
