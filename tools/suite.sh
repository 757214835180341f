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
summary="$name: $(grep -E "[0-9]+ (passed|failed|skipped|errors?)\b.* in [0-9.]+s" "$log" | tail -n 1 | tr -d '=')"
if [ -e "build/$name.executor" ]; then
  summary="$summary ($(cat "build/$name.executor"))"
fi
echo "$summary" | tee "build/$name.summary"
exit "$status"
