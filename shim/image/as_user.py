#!/kaniko/.Shim/bin/python3 -IBS
"""Runs a command of the Dockerfile as the user of its RUN."""

import sys

sys.path += ["/kaniko/.Shim/app"]

from kaniko_shim.engines.kaniko.users.as_user import main

main()
