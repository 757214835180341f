#!/kaniko/.Shim/bin/python3 -IBS
"""`git submodule`, which BuildKit calls after each clone. Git's own is a shell script, and there is no shell here."""

import os
import sys

# Git's script says the same: a URL in .gitmodules is not the user's own.
os.environ["GIT_PROTOCOL_FROM_USER"] = "0"
os.execv("/kaniko/.Shim/bin/git", ["git", "submodule--helper", *sys.argv[1:]])  # noqa: S606 - a program of the image
