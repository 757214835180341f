# The builder image: an engine, crane and kaniko-shim, on an otherwise empty file system.
#
# The engine is the kaniko executor; `shim/image/build.py --engine buildkit` makes the same image with BuildKit.
# The executor replaces the root file system of the container that it runs in, so everything here lies
# below /kaniko, the one directory that it spares. Python comes with its own loader and libraries.

# The one place that names the executor: `make executor-pin VERSION=v1.2.3` moves it.
ARG EXECUTOR_IMAGE=ghcr.io/osscontainertools/kaniko:v1.28.3@sha256:779f463aaa3219151ceff518249aa043a60bcb09a17fab58b915f63c678ecde6
# What ENGINE_IMAGE is in the image of BuildKit, with ENGINE_FILES=/usr/bin.
ARG BUILDKIT_IMAGE=docker.io/moby/buildkit:v0.32.2
ARG ENGINE_IMAGE=${EXECUTOR_IMAGE}
ARG ENGINE_FILES=/kaniko
# The released executor image has the credential helpers of clouds, too.
ARG HELPERS_IMAGE=${EXECUTOR_IMAGE}
# Renovate adds and moves the digests of these two: .github/renovate.json.
ARG CRANE_IMAGE=gcr.io/go-containerregistry/crane:v0.21.7
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm

# A label each: in the end, buildah deletes the images of stages, and that of an empty stage is the image that was given.
FROM ${ENGINE_IMAGE} AS engine
LABEL part=engine

FROM ${HELPERS_IMAGE} AS helpers
LABEL part=helpers

FROM ${CRANE_IMAGE} AS crane
LABEL part=crane

FROM ${PYTHON_IMAGE} AS assemble
# BuildKit unpacks with xz and clones with git.
RUN for program in patchelf xz git; do command -v $program >/dev/null || missing=1; done; test -z "$missing" \
    || (apt-get update && apt-get install --yes --no-install-recommends patchelf xz-utils git)
ARG ENGINE_FILES
# The whole directory: only newer executors come with a tini, and COPY of a file that may be missing fails somewhere.
COPY --from=engine ${ENGINE_FILES} /src/engine
COPY --from=helpers /kaniko /src/helpers
COPY --from=crane /ko-app/crane /kaniko/.Shim/bin/crane
COPY shim/image /src/image
COPY shim/kaniko_shim /src/kaniko_shim
# Shared with the SDK, in whose wheel they are.
COPY sdk/imagebuild_dockerignore /src/imagebuild_dockerignore
COPY sdk/imagebuild_vocabulary /src/imagebuild_vocabulary
RUN python3 /src/image/collect.py /src /kaniko

FROM scratch
COPY --from=assemble /kaniko /kaniko
COPY --from=assemble /elsewhere /
COPY shim/image/nsswitch.conf /etc/nsswitch.conf
# PATH does not lead to /kaniko: a RUN step must not find this Python.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root \
    DOCKER_CONFIG=/kaniko/.docker/ \
    SSL_CERT_DIR=/kaniko/ssl/certs
WORKDIR /kaniko/.run
LABEL org.opencontainers.image.title="ImageBuild builder" \
      org.opencontainers.image.description="Builds container images from environment variables" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/kaniko/.Shim/bin/kaniko-shim"]
