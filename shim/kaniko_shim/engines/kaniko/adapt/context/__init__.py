"""The build context as COPY and ADD see it."""
