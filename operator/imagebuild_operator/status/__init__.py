"""The status document and Kubernetes Events. Pure."""
