"""Trouble on the way between the node and everything else, without netem, which few kernels of small machines have."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from cluster.settings import Cluster

NODE_LINK: Final = "uplink"
LOST: Final = "0.15"
#: What is sent faster to the node waits in a queue, for so long at most; what finds the queue full is lost.
SLOW: Final = ("rate", "2mbit", "burst", "16kb", "latency", "400ms")

#: Begins some trouble, which is over with the block; gives the link that has it.
Trouble = Callable[[Cluster], AbstractContextManager[str]]


@contextmanager
def cut(cluster: Cluster) -> Iterator[str]:
    """No packet comes through."""
    link = ["ip", "-n", cluster.name, "link", "set", NODE_LINK]
    subprocess.run([*link, "down"], check=True)
    try:
        yield NODE_LINK
    finally:
        subprocess.run([*link, "up"], check=True)


@contextmanager
def lose(cluster: Cluster) -> Iterator[str]:
    """Some of the packets that come from the node are lost."""
    link = cluster.host_interface
    rule = ["INPUT", "-i", link, "-m", "statistic", "--mode", "random", "--probability", LOST, "-j", "DROP"]
    subprocess.run(["iptables", "-w", "-I", *rule], check=True)
    try:
        yield link
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], check=True)


@contextmanager
def delay(cluster: Cluster) -> Iterator[str]:
    """Packets to the node come late, if there are more than a few."""
    link = cluster.host_interface
    subprocess.run(["tc", "qdisc", "replace", "dev", link, "root", "tbf", *SLOW], check=True)
    try:
        yield link
    finally:
        subprocess.run(["tc", "qdisc", "delete", "dev", link, "root"], check=True)
