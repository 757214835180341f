"""What a release is made of: one command for each step. `.github/workflows/release.yaml` calls them in order."""
