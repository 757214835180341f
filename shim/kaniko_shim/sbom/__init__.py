"""The packages in an image, read from its layers."""
