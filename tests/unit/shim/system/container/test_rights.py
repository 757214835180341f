from kaniko_shim.system.container.mounts import is_read_only, mounts_below_links
from kaniko_shim.system.container.rights import lacking

STATUS = "Name:\tkaniko-shim\nCapPrm:\t0000000000000000\nCapEff:\t{}\nCapBnd:\t000001ffffffffff\n"
ROOT = "30 20 0:50 / / {} - overlay overlay {},lowerdir=/a,upperdir=/b"
OTHER = "31 30 0:51 / /kaniko/.run ro,relatime - tmpfs tmpfs rw"


def test_the_capabilities_of_docker_are_enough():
    assert lacking(STATUS.format("00000000a80425fb")) == frozenset()


def test_each_capability_that_is_dropped_is_known():
    assert lacking(STATUS.format("0000000000000000")) == {
        *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID"),
    }
    assert lacking(STATUS.format("00000000a80425fa")) == {"CHOWN"}
    assert lacking(STATUS.format("00000000280425fb")) == {"SETFCAP"}


def test_a_kernel_that_says_nothing_is_believed():
    assert lacking("Name:\tkaniko-shim\n") == frozenset()


def test_a_file_system_is_read_only_by_its_mount_or_as_a_whole():
    assert is_read_only("/", "\n".join([ROOT.format("ro,relatime", "rw"), OTHER]))
    assert is_read_only("/", ROOT.format("rw,relatime", "ro"))
    assert not is_read_only("/", "\n".join([ROOT.format("rw,relatime", "rw"), OTHER]))
    assert is_read_only("/kaniko/.run", "\n".join([ROOT.format("rw,relatime", "rw"), OTHER]))


def test_mounts_where_most_images_have_a_link():
    lines = [f"31 30 0:51 / {point} rw - tmpfs tmpfs rw" for point in ("/lib64/x", "/bin", "/binary", "/etc/hosts")]
    assert mounts_below_links("\n".join(lines)) == ("/bin", "/lib64/x")


def test_of_mounts_upon_each_other_the_last_counts():
    lines = [ROOT.format("ro", "rw"), ROOT.format("rw", "rw")]
    assert not is_read_only("/", "\n".join(lines))
    assert is_read_only("/", "\n".join(reversed(lines)))
