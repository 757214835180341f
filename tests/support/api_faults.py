"""What passes through the proxy before an API server, and what may be done to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A call of the operator.

    Attributes:
        build: The ImageBuild that it is about, as far as a write tells.
        nth: For writes, the how many-th about this build, from 1; Events are not counted.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Json | None
    build: str | None = None
    nth: int = 0

    @property
    def is_write(self) -> bool:
        """Whether it changes something, other than the Lease."""
        return self.method != "GET" and "/leases" not in self.path

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") == "true"

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and not self.is_watch and self.path.rpartition("/")[2] in {"imagebuilds", "pods"}


@dataclass(frozen=True)
class Fault:
    """What is done to a call; by default nothing.

    Attributes:
        before: Done before the API server gets it.
        reaches: Whether the API server gets it.
        after: Done when the API server has answered.
        edit: Changes the body of its answer, other than that of a watch.
        status: Answered instead of its answer; None to let that through, 0 to break the connection.
        headers: Of the answer.
        text: Its body; by default a Status as the API server writes it.
        lines: Sent on a watch before what the API server sends.
        hold: Seconds for which it is held back.
    """

    before: Callable[[], object] | None = None
    reaches: bool = True
    after: Callable[[], object] | None = None
    edit: Callable[[bytes], bytes] | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: bytes | None = None
    lines: tuple[bytes, ...] = ()
    hold: float = 0.0


@dataclass(frozen=True)
class EventFault:
    """What is done to one line of a watch; by default nothing.

    Attributes:
        times: How often it is sent.
        hold: Seconds for which it and all that follows is held back.
        cut: Whether the connection breaks before it.
        expires: Whether the watch says instead that it has expired, and ends.
    """

    times: int = 1
    hold: float = 0.0
    cut: bool = False
    expires: bool = False


NOTHING: Final = Fault()
NO_EVENT_FAULT: Final = EventFault()
#: A watch whose resourceVersion is too old.
EXPIRED: Final = b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410}}\n'
