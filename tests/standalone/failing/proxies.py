"""HTTP proxies that do not pass requests on."""

from standalone.failing.case import Failing

_NO_PASSWORD = {"HTTP_PROXY": "http://robot:wrong@{proxy}", "HTTPS_PROXY": "http://robot:wrong@{proxy}"}
PROXIES = (
    Failing(
        "proxy refuses",
        "FROM far.test/team/app\n",
        "BaseImageUnauthorized",
        76,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/v2/": Proxy Authentication Required.',
        line=1,
        registry="far.test",
        env=_NO_PASSWORD,
    ),
    Failing(
        "proxy refuses",
        "FROM far.test/team/app\n",
        "BaseImageUnauthorized",
        76,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/v2/": Proxy Authentication Required; '
        "GET http://far.test/v2/: unexpected status code 407 *.",
        line=1,
        registry="far.test",
        env={**_NO_PASSWORD, "INSECURE_REGISTRIES": "{plain},{answers},far.test"},
    ),
    Failing(
        "proxy refuses",
        "FROM busybox\n",
        "RegistryUnauthorized",
        77,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/v2/": Proxy Authentication Required.',
        registry="far.test",
        env={**_NO_PASSWORD, "OUTPUT_IMAGE": "far.test/team/app:1"},
    ),
    Failing(
        "proxy refuses ADD",
        "FROM busybox\nADD http://far.test/x /x\n",
        "CopyFailed",
        73,
        "The HTTP proxy refused the user or password (407): invalid response status 407.",
        line=2,
        env=_NO_PASSWORD,
    ),
    Failing(
        "proxy refuses ADD",
        "FROM busybox\nADD https://far.test/x /x\n",
        "CopyFailed",
        73,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/x": Proxy Authentication Required.',
        line=2,
        env=_NO_PASSWORD,
    ),
    Failing(
        "proxy does not connect",
        "FROM far.test/team/app\n",
        "RegistryUnavailable",
        80,
        "The HTTP proxy does not connect to far.test: Bad Gateway.",
        line=1,
        registry="far.test",
        env={"HTTPS_PROXY": "http://robot:right@{proxy}"},
    ),
    Failing(
        "proxy does not answer",
        "FROM far.test/team/app\n",
        "RegistryUnavailable",
        80,
        "The HTTP proxy did not answer: dial tcp 127.0.0.1:9: connect: connection refused.",
        line=1,
        registry="far.test",
        env={"HTTPS_PROXY": "http://127.0.0.1:9"},
    ),
)
