#!/kaniko/.Shim/bin/python3 -IBS
"""Runs a command of the Dockerfile with the mounts of its RUN."""

import sys

sys.path += ["/kaniko/.Shim/app"]

from kaniko_shim.engines.kaniko.mounts.step import main

main()
