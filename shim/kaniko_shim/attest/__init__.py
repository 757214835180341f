"""What is said of a pushed image, and by whom: provenance, a bill of materials, signatures."""
