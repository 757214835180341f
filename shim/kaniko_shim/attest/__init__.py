"""Attestations and signatures of pushed images: provenance, an SBOM, signatures."""
