#!/bin/sh
# Build an image in the cluster from a CI job: create an ImageBuild, show its log, end with its result.
#
#   build.sh FILE [RESULT]
#
# FILE    The ImageBuild; - reads it from standard input. With metadata.generateName, every run is a build of its own.
# RESULT  A file that gets the pushed images, one line each: REGISTRY/REPOSITORY:TAG@sha256:DIGEST.
#
# TIMEOUT (default 3600) is the number of seconds until the build is cancelled. Needs kubectl, timeout (of coreutils or
# busybox) and permission to create ImageBuilds: see rbac.yaml.
#
# Exit code: 0 the image was built and pushed, 1 it was not, 2 wrong arguments, 124 timeout, 130 or 143 the job was stopped.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: build.sh FILE [RESULT]" >&2
    exit 2
fi
deadline=$(($(date +%s) + ${TIMEOUT:-3600}))

build=$(kubectl create -f "$1" -o name)
echo "Created $build"

cancel() {
    trap - HUP INT TERM
    kubectl patch "$build" --type=merge --patch='{"spec":{"cancel":true}}' || true
}
child=
stopped() {
    cancel
    [ -z "$child" ] || kill "$child" || true
    exit "$1"
}
trap 'stopped 129' HUP
trap 'stopped 130' INT
trap 'stopped 143' TERM

# In the background, since a shell handles a signal only after the command in the foreground has ended.
run() {
    "$@" &
    child=$!
    wait "$child"
}

field() {
    kubectl get "$build" -o "jsonpath=$1"
}

wait_for() {
    while :; do
        left=$((deadline - $(date +%s)))
        if [ "$left" -le 0 ]; then
            echo "The build has not ended within ${TIMEOUT:-3600} seconds; it is cancelled." >&2
            cancel
            exit 124
        fi
        # A few seconds each time, since kubectl goes on to wait for what is deleted while it does.
        if run kubectl wait "$build" --for="condition=$1" --timeout="$((left < 10 ? left : 10))s" >/dev/null 2>&1; then
            return
        fi
        # The build goes on, the API server did not answer, or somebody has deleted the build.
        if found=$(kubectl get "$build" --ignore-not-found -o name) && [ -z "$found" ]; then
            echo "$build was deleted." >&2
            exit 1
        fi
        run sleep 1
    done
}

wait_for Waiting=false
# The log of the first attempt. It may be gone already, and the result does not depend on it.
label=$(field '{.metadata.name}' | cut -c1-63)
left=$((deadline - $(date +%s)))
[ "$left" -le 0 ] || run timeout "$left" kubectl logs --follow --selector="imagebuild.dev/build=$label" --tail=-1 \
    --max-log-requests=20 || true
wait_for Finished

field '{.status.message}{"\n"}'
case $(field '{.status.conditions[?(@.type=="Succeeded")].status}') in
    True)
        [ $# -lt 2 ] || field '{range .status.images[*]}{.reference}@{.digest}{"\n"}{end}' >"$2"
        ;;
    *)
        field '{.status.failure.logTail}{"\n"}' >&2
        exit 1
        ;;
esac
