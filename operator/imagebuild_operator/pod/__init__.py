"""The manifests of the pods of a build. Pure."""
