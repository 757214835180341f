"""The table of situations.

Each row is proven by a build that fails that way (`tests/standalone/test_failures.py`).
"""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.copy_situations import COPY
from kaniko_shim.outcome.situations.dockerfile_situations import DOCKERFILE
from kaniko_shim.outcome.situations.machine_situations import ENVIRONMENT, EXHAUSTED
from kaniko_shim.outcome.situations.proxy_situations import PROXY, refused
from kaniko_shim.outcome.situations.pull_situations import PULL
from kaniko_shim.outcome.situations.push_situations import PUSH
from kaniko_shim.outcome.situations.registry_situations import REGISTRY, UNREACHABLE
from kaniko_shim.outcome.situations.run_situations import RUN
from kaniko_shim.outcome.situations.situation import Situation

_FIRST = (*EXHAUSTED, *PROXY, *DOCKERFILE, *COPY, *RUN, *REGISTRY)
_LAST = (*UNREACHABLE, *ENVIRONMENT)

# In each, the first row that matches counts.
PULLING: tuple[Situation, ...] = (*_FIRST, *refused(Reason.BASE_IMAGE_UNAUTHORIZED), *PULL, *_LAST)
PUSHING: tuple[Situation, ...] = (*_FIRST, *refused(Reason.REGISTRY_UNAUTHORIZED), *PUSH, *_LAST)
