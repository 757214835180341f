# All images for all platforms, with provenance and an SBOM: `docker buildx bake`.
#
#   docker buildx bake --print                                            show what would be built
#   VERSION=dev docker buildx bake --set '*.platform=linux/amd64' --load  one platform, into Docker's storage
#
# A release runs it with --push. Base images and versions are those of the Dockerfiles: nothing of them is repeated here.

variable "IMAGE_REGISTRY" {
  description = "The registry that gets the images; the same variable as of `make images`."
  default     = "ghcr.io"
}

variable "VERSION" {
  description = "The version, which becomes the tag. A release that is no pre-release is tagged latest, too."
  default     = "dev"
}

variable "REVISION" {
  description = "The Git commit that is built."
  default     = ""
}

variable "BUILDKIT_IMAGE" {
  description = "The image with the programs of BuildKit: that of Dockerfile.builder."
  default     = "docker.io/moby/buildkit:v0.32.2"
}

function "tags" {
  params = [name]
  result = length(regexall("^[0-9]+[.][0-9]+[.][0-9]+$", VERSION)) > 0 ? [
    "${IMAGE_REGISTRY}/imagebuild-dev/${name}:${VERSION}",
    "${IMAGE_REGISTRY}/imagebuild-dev/${name}:latest",
  ] : ["${IMAGE_REGISTRY}/imagebuild-dev/${name}:${VERSION}"]
}

group "default" {
  targets = ["operator", "builder", "builder-buildkit"]
}

target "_common" {
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=provenance,mode=max", "type=sbom"]
  labels = {
    "org.opencontainers.image.documentation" = "https://imagebuild-dev.github.io/imagebuild-operator/"
    "org.opencontainers.image.revision"      = REVISION
    "org.opencontainers.image.source"        = "https://github.com/imagebuild-dev/imagebuild-operator"
    "org.opencontainers.image.version"       = VERSION
  }
  # GitHub shows these of a multi-platform image, whose labels it does not read.
  annotations = [
    "index:org.opencontainers.image.source=https://github.com/imagebuild-dev/imagebuild-operator",
    "index:org.opencontainers.image.licenses=Apache-2.0",
    "index:org.opencontainers.image.version=${VERSION}",
  ]
}

target "operator" {
  inherits   = ["_common"]
  dockerfile = "Dockerfile.operator"
  tags       = tags("imagebuild-operator")
}

target "builder" {
  inherits   = ["_common"]
  dockerfile = "Dockerfile.builder"
  tags       = tags("imagebuild-builder")
}

target "builder-buildkit" {
  inherits = ["builder"]
  args     = { ENGINE_IMAGE = BUILDKIT_IMAGE, ENGINE_FILES = "/usr/bin" }
  tags     = tags("imagebuild-builder-buildkit")
}
