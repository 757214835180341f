#!/kaniko/.Shim/bin/python3 -IBS
"""Starts the shim with the interpreter next to it, and with nothing of the container on its path."""

import sys

sys.path += ["/kaniko/.Shim/app", "/kaniko/.Shim/site"]

from kaniko_shim.__main__ import main

sys.exit(main())
