"""Archives: recognised by their content, unpacked without trusting them."""
