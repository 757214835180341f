"""From a build to the manifests of its pods. Pure."""
