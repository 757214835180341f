#!/bin/bash
# Run test suites, and end with one line for each:
#   tools/suites.sh SUITE...
# The functional suite mostly waits, for watches and timers, and has a cluster of its own; so it runs at the same time as
# the others, and its output comes last.
set -uo pipefail
rm -f build/*.summary build/*.shown
failed=()
others=()
functional=
for suite in "$@"; do
  if [ "$suite" = functional ] && [ $# -gt 1 ]; then
    mkdir -p build
    # With a process group of its own, so that all of it can be ended.
    set -m
    make functional >build/functional.output 2>&1 &
    functional=$!
    set +m
    trap 'kill -INT -- "-$functional" 2>/dev/null; wait "$functional"' EXIT
    echo "functional: running at the same time, with its output in build/functional.output"
  else
    others+=("$suite")
  fi
done
for suite in "${others[@]}"; do
  make "$suite" || failed+=("$suite")
done
if [ -n "$functional" ]; then
  wait "$functional" || failed+=(functional)
  trap - EXIT
  cat build/functional.output
fi
if [ "${#failed[@]}" -eq 0 ] && [ -n "${PROOFS:-}" ]; then
  echo
  .venv/bin/python tools/proofs.py build/*.shown || failed+=(proofs)
fi
echo
echo "All suites:"
cat build/*.summary
if [ "${#failed[@]}" -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
