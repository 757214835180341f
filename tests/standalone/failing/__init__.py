"""Builds that fail, each in one way, and what must be said of them.

`{…}` stands for an address: plain (the registry, by its address), named (the same by a name), private (wants a
password), proxy (an HTTP proxy that wants one), answers (see answering.py), untrusted, other and expired (HTTPS with
bad certificates), corrupt (a registry whose blobs are damaged).
"""

from standalone.failing.case import Failing
from standalone.failing.dockerfiles import DOCKERFILES
from standalone.failing.machines import MACHINES
from standalone.failing.proxies import PROXIES
from standalone.failing.pulls import PULLS
from standalone.failing.pushes import PUSHES
from standalone.failing.runs import RUNS

CASES: tuple[Failing, ...] = (*RUNS, *DOCKERFILES, *PULLS, *PUSHES, *PROXIES, *MACHINES)
