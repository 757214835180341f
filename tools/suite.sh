#!/bin/sh
# Run one test suite and end with one line that says how it went:
#   tools/suite.sh NAME PYTEST-ARGUMENT...
set -u
name="$1"
shift
mkdir -p build
log="build/$name.log"
status=0
rm -f "build/$name.executor"
{ .venv/bin/pytest --shown "build/$name.shown" "$@" 2>&1 || echo "$?" >"build/$name.status"; } | tee "$log"
if [ -e "build/$name.status" ]; then
  status="$(cat "build/$name.status")"
  rm "build/$name.status"
fi
summary="$name: $(tail -n 1 "$log" | tr -d '=')"
if [ -e "build/$name.executor" ]; then
  summary="$summary ($(cat "build/$name.executor"))"
fi
echo "$summary" | tee "build/$name.summary"
exit "$status"
