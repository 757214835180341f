"""When a chaos run does what to which part. Pure: chance comes from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

#: Parts of the cluster that run as processes of the machine.
PARTS: Final = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kubelet", "containerd", "registry-plain", "registry-private"),
)
#: Processes in pods.
PROCESSES: Final = ("leader", "standby", "executor", "shim")
#: Longer than the operator's Lease, which is 10 s.
STOPPED: Final = (3.0, 14.0)
DEAD: Final = (0.5, 8.0)
#: Seconds between two moments, and how many faults begin at one.
INTERVAL: Final = (5.0, 12.0)
TOGETHER: Final = (1, 1, 1, 2, 3)


@dataclass(frozen=True)
class Fault:
    """Something that is done.

    Attributes:
        at: Seconds since the start.
        kind: What.
        victim: To which part; empty where the kind says it.
        seconds: For how long; 0 for what is over at once.
    """

    at: float
    kind: str
    victim: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        duration = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f} s: {self.kind} {self.victim}".rstrip() + duration


#: Every fault of the cluster, and for how long it lasts.
FAULTS: Final[Sequence[tuple[str, tuple[str, ...], tuple[float, float]]]] = (
    ("kill", PARTS, DEAD),
    ("stop", PARTS, STOPPED),
    ("kill", PROCESSES, (0.0, 0.0)),
    ("stop", ("leader", "standby"), STOPPED),
    ("delete-pod", ("",), (0.0, 0.0)),
    ("drain", ("",), (3.0, 8.0)),
    ("taint", ("",), (3.0, 8.0)),
    ("fill-registry", ("",), (5.0, 12.0)),
    ("cut-network", ("",), (2.0, 8.0)),
    ("lose-packets", ("",), (5.0, 15.0)),
    ("delay-packets", ("",), (5.0, 15.0)),
    ("clock", ("ahead", "behind"), (15.0, 20.0)),
)


def timeline(seed: str, seconds: float) -> list[Fault]:
    """What is done in a run of so many seconds: every kind of fault before any comes twice."""
    random = Random(f"timeline/{seed}")
    faults: list[Fault] = []
    waiting: list[tuple[str, str, tuple[float, float]]] = []
    at = random.uniform(*INTERVAL)
    while at < seconds:
        for _ in range(random.choice(TOGETHER)):
            if not waiting:
                waiting = [(kind, victim, lasts) for kind, victims, lasts in FAULTS for victim in victims]
                random.shuffle(waiting)
            kind, victim, lasts = waiting.pop()
            faults.append(Fault(round(at, 1), kind, victim, round(random.uniform(*lasts), 1)))
        at += random.uniform(*INTERVAL)
    return faults
