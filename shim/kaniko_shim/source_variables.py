"""The variables of sources that need more than a URL."""

from kaniko_shim.scalars import parse_count, parse_switch
from kaniko_shim.sources.access import parse_private_key
from kaniko_shim.sources.known_hosts import parse_known_hosts
from kaniko_shim.variable import Variable

SOURCE_MAX_BYTES = Variable(
    "SOURCE_MAX_BYTES",
    "The most bytes that an archive may unpack to.",
    parse_count,
    default="10737418240",
)
SOURCE_MAX_ENTRIES = Variable(
    "SOURCE_MAX_ENTRIES",
    "The most files and directories that an archive may unpack to.",
    parse_count,
    default="1000000",
)
SOURCE_SSH_PRIVATE_KEY = Variable(
    "SOURCE_SSH_PRIVATE_KEY",
    "The private key for Git over SSH: the text of the file (Ed25519, ECDSA or RSA). If it has a passphrase, that is "
    "SOURCE_PASSWORD. Used for the server in SOURCE_GET_URL only.",
    parse_private_key,
    secret=True,
)
SOURCE_SSH_KNOWN_HOSTS = Variable(
    "SOURCE_SSH_KNOWN_HOSTS",
    "The keys that SSH servers must have, as `ssh-keyscan` prints them or a `known_hosts` file holds them. A server "
    "without one is refused.",
    parse_known_hosts,
    shown=False,
)
SOURCE_SSH_SKIP_HOST_KEY_CHECK = Variable(
    "SOURCE_SSH_SKIP_HOST_KEY_CHECK",
    "`true`: an SSH server that SOURCE_SSH_KNOWN_HOSTS does not name is trusted whatever its key, and the key is "
    "written to the log. Whoever can pose as the server then decides what is built.",
    parse_switch,
    default="false",
)
GIT_SUBMODULES = Variable(
    "GIT_SUBMODULES",
    "`true`: the submodules of a Git repository are fetched too, and theirs. Credentials are used for those on the "
    "server in SOURCE_GET_URL only.",
    parse_switch,
    default="false",
)

SOURCE_TABLE: tuple[Variable[object], ...] = (
    SOURCE_MAX_BYTES,
    SOURCE_MAX_ENTRIES,
    SOURCE_SSH_PRIVATE_KEY,
    SOURCE_SSH_KNOWN_HOSTS,
    SOURCE_SSH_SKIP_HOST_KEY_CHECK,
    GIT_SUBMODULES,
)
