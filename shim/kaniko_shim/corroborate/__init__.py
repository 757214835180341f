"""Two builds of one image: whether they made the same, and in what they differ."""
