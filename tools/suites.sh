#!/bin/bash
# Run test suites, and end with one line for each:
#   tools/suites.sh SUITE...
# They run in up to three lanes at the same time, since each spends much of its time waiting: the functional suite, which
# has a cluster of its own, and the comparisons of images, which need none; what needs the test cluster; and the rest.
# The output of the first two to begin comes last; a line says at once how a suite of theirs has ended.
set -uo pipefail
mkdir -p build
rm -f build/*.summary build/*.shown build/*.output build/failed

functional=()
cluster=()
rest=()
for suite in "$@"; do
  case "$suite" in
    functional | truth*) functional+=("$suite") ;;
    e2e* | foreign) cluster+=("$suite") ;;
    *) rest+=("$suite") ;;
  esac
done

lane() {
  for suite in "$@"; do
    make "$suite" || echo "$suite" >>build/failed
    # To the terminal, also from the background: whoever ends a run that takes too long sees what it was in.
    echo "[$((SECONDS / 60)) min] $(cat "build/$suite.summary" 2>/dev/null || echo "$suite: no end")" >&3
  done
}

exec 3>&1
lanes=()
names=()
background() {
  local name="$1"
  shift
  [ $# -gt 1 ] || return 0
  echo "${*:2}: running at the same time, with the output in build/$name.output"
  # With a process group of its own, so that all of it can be ended.
  set -m
  "$@" >"build/$name.output" 2>&1 &
  lanes+=($!)
  names+=("$name")
  set +m
}
end() {
  for started in "${lanes[@]}"; do
    kill -INT -- "-$started" 2>/dev/null
    wait "$started"
  done
}
trap end EXIT

if [ $# -eq 1 ]; then
  lane "$@"
else
  background functional lane "${functional[@]}"
  if [ "${#cluster[@]}" -gt 0 ] && [ "${#rest[@]}" -gt 0 ]; then
    # What both need is made once, and before they wait for each other.
    make cluster-up images
    # Slow to compile, and needed late.
    background programs make programs
  fi
  background rest lane "${rest[@]}"
  lane "${cluster[@]}"
fi
for at in "${!lanes[@]}"; do
  wait "${lanes[$at]}"
  cat "build/${names[$at]}.output"
done
trap - EXIT

if [ ! -e build/failed ] && [ -n "${PROOFS:-}" ]; then
  echo
  .venv/bin/python tools/proofs.py build/*.shown || echo proofs >>build/failed
fi
echo
echo "All suites:"
cat build/*.summary
if [ -e build/failed ]; then
  echo "failed: $(paste -sd' ' build/failed)"
  exit 1
fi
