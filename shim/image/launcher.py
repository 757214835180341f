#!/kaniko/.Shim/bin/python3 -IBS
"""Starts the shim with the interpreter beside it, and with nothing of the container's own on its path."""

import sys

sys.path += ["/kaniko/.Shim/app", "/kaniko/.Shim/site"]

from kaniko_shim.__main__ import main

sys.exit(main())
