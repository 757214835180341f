import pytest
from kaniko_shim.system.container.mounts import has_mount_below

LINE = "1029 1022 0:48 / {} ro,relatime - tmpfs tmpfs rw,size=16g,inode64"
ROOT = "1022 981 0:421 / / rw,relatime master:330 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w"


@pytest.mark.parametrize(
    ("point", "below"),
    [
        ("/var/run/secrets/kubernetes.io/serviceaccount", True),
        ("/var/run", True),
        ("/var/running", False),
        ("/var", False),
        ("/run/.containerenv", False),
        ("/var/run/a\\040b", True),
        ("/var\\057run", True),
    ],
)
def test_mounts_are_found_by_their_mount_points(point: str, *, below: bool):
    assert has_mount_below("/var/run", f"{ROOT}\n{LINE.format(point)}\n") is below


@pytest.mark.parametrize("text", ["", "\n", "nonsense", "1 2 3 4"])
def test_what_the_kernel_does_not_write_is_no_mount(text: str):
    assert not has_mount_below("/var/run", text)
