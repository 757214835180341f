"""Where things are in this repository, and what a release calls them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "imagebuild-operator"
CHANGELOG = ROOT / "CHANGELOG.md"
CRDS = ROOT / "crds"
BUILDER_DOCKERFILE = ROOT / "Dockerfile.builder"

REPOSITORY = "https://github.com/imagebuild-dev/imagebuild-operator"
REGISTRY = "ghcr.io"
PROJECT = "imagebuild-dev"
"""The first part of the path of images and chart in any registry."""
