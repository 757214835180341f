"""What is attached to a pushed image: provenance, an SBOM, signatures."""
