"""Specs that the API server refuses, with words that say what to write instead."""

from collections.abc import Callable
from typing import Any

import pytest
from functional.kube import Builds, spec


def images(*references: str) -> dict[str, Any]:
    return {"output": {"images": list(references)}}


def signed(**output: object) -> dict[str, Any]:
    return {"output": {"images": ["a.b/app"], **output}}


def for_platforms(*platforms: str, **output: object) -> dict[str, Any]:
    return {"output": {"images": ["a.b/app"], "platforms": list(platforms), **output}}


def on_nodes(**labels: str) -> dict[str, Any]:
    return {"podTemplate": {"spec": {"nodeSelector": labels}}}


def source(**kinds: object) -> dict[str, Any]:
    return {"source": kinds}


def files(*names: str) -> dict[str, Any]:
    return source(inline={"files": dict.fromkeys(names, "x")})


def arg(**fields: object) -> dict[str, Any]:
    return {"buildArgs": [{"name": "A"} | fields]}


def secret(**fields: object) -> dict[str, Any]:
    return {"buildSecrets": [{"id": "npm"} | fields]}


def registry(**fields: object) -> dict[str, Any]:
    return {"registries": [{"host": "docker.io"} | fields]}


def pod(**fields: object) -> dict[str, Any]:
    return {"podTemplate": {"spec": fields}}


def env(**fields: object) -> dict[str, Any]:
    return {"env": [fields]}


def of(**fields: object) -> dict[str, Any]:
    return fields


def pod_metadata(**fields: object) -> dict[str, Any]:
    return {"podTemplate": {"metadata": fields}}


KEY = {"secretKeyRef": {"name": "s", "key": "k"}}
MAP_KEY = {"configMapKeyRef": {"name": "s", "key": "k"}}
KNOWN_HOSTS = "# a.b:22 SSH-2.0\na.b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n"
SHA = "0123456789abcdef" * 4

# fields that replace those of the least spec, and words of the refusal
CA = {"name": "ca", "key": "ca.crt"}
TRUSTED = {"caBundle": {"configMapKeyRef": CA}}

CASES: list[tuple[dict[str, Any], str]] = [
    # source
    ({"source": None}, "spec.source: Required value"),
    (source(), "a source is missing: set one of url, http, git, s3, oci, inline, configMap"),
    (source(url="https://a/b", configMap={"name": "c"}), "only one source can be set"),
    (source(svn={"url": "x"}), 'unknown field "spec.source.svn"'),
    # source.url
    (source(url=""), "not a usable URL"),
    (source(url="file:///etc"), "file:// and dir:// would read the builder image itself"),
    (source(url="dir:///tmp/source"), "use inline or configMap"),
    (source(url="ssh://-oProxyCommand=x/y.git"), "for Git over SSH use source.git"),
    (source(url="git+ssh://host/r.git"), "for Git over SSH use source.git"),
    (source(url="git@github.com:team/app.git"), "for Git over SSH use source.git"),
    (source(url="ext::sh -c id"), "start with https://"),
    (source(url="s3://AK:hunter2@bucket/key"), "take the user and password out of the URL"),
    (source(url="ftp://example.com/x.tar"), "start with https://"),
    (source(url="example.com/x.tar"), "start with https://"),
    (source(url="https://example.com/a b"), "write no spaces"),
    (source(url="https://example.com/a\nb"), "write no spaces"),
    (source(url="https://-x/y"), "not a usable URL"),
    (source(url="https://"), "not a usable URL"),
    (source(url="https://user:token@example.com/x.tar"), "name it in the secretRef of source.http"),
    (source(url="https://user@example.com/a b"), "take the user and password out of the URL"),
    (source(url="git+https://token@example.com/r.git"), "take the user and password out of the URL"),
    (source(url="data:no-comma"), "a data: URL reads data:[TYPE][;base64],CONTENT"),
    (source(url="data:,a b"), "without spaces"),
    (source(url="https://example.com/" + "x" * 131_000), "may not be more than 131000"),
    (source(url="https://example.com/" + "ü" * 66_000), "131000 bytes at most"),
    # source.http
    (source(http={}), "spec.source.http.url: Required value"),
    (source(http={"url": "git+https://example.com/r"}), "for a repository use source.git.url"),
    (source(http={"url": "ftp://example.com/x.tar"}), "starts with https:// or http://"),
    (source(http={"url": "https://u:p@example.com/x.tar"}), "take the user and password out of the URL"),
    (source(http={"url": "https://a/b", "sha256": "sha256:" + SHA}), 'without "sha256:" before it'),
    (source(http={"url": "https://a/b", "sha256": SHA.upper()}), "64 lower-case hexadecimal digits"),
    (source(http={"url": "https://a/b", "secretRef": {}}), "secretRef.name: Required value"),
    (source(http={"url": "https://a/b", "secretRef": {"name": "Upper"}}), "secretRef.name in body should match"),
    (source(http={"url": "http://a/b", **TRUSTED}), "write an https:// URL, or leave caBundle out"),
    (source(http={"url": "https://a/b", "caBundle": {}}), "set configMapKeyRef or secretKeyRef"),
    (source(http={"url": "https://a/b", "caBundle": {"name": "ca"}}), 'unknown field "spec.source.http.caBundle.name"'),
    # source.git
    (source(git={"revision": "main"}), "spec.source.git.url: Required value"),
    (source(git={"url": "git+https://a/b"}), "write the URL without git+"),
    (source(git={"url": "git+ssh://github.com/a/b.git"}), "write the URL without git+"),
    (source(git={"url": "git@github.com:a/b.git"}), "SSH logs in with a key"),
    (source(git={"url": "ssh://git@github.com/a/b.git"}), "name that in secretRef, or use the https:// URL"),
    *(
        (source(git={"url": url, "secretRef": {"name": "s"}}), words)
        for url, words in (
            ("ssh://git:hunter2@a.b/c", "take the password out of the URL: SSH logs in with the key"),
            ("ssh://-oProxyCommand=x/y.git", "or USER@HOST:PATH, without spaces"),
            ("ssh://git@-oProxyCommand=x/y.git", "or USER@HOST:PATH, without spaces"),
            ("git@-oProxyCommand=x:y", "or USER@HOST:PATH, without spaces"),
            ("git@a.b:--upload-pack=x", "or USER@HOST:PATH, without spaces"),
            ("-u@a.b:c", "or USER@HOST:PATH, without spaces"),
            ("ext::sh -c id", "or USER@HOST:PATH, without spaces"),
            ("git@a.b:c d", "or USER@HOST:PATH, without spaces"),
            ("git@a.b:c\n", "or USER@HOST:PATH, without spaces"),
            ("ssh://git@a.b", "or USER@HOST:PATH, without spaces"),
        )
    ),
    (source(git={"url": "https://a/b", "knownHosts": KNOWN_HOSTS}), "knownHosts is for SSH"),
    (source(git={"url": "git@a.b:c", "secretRef": {"name": "s"}, "knownHosts": "a.b"}), "ssh-keyscan HOST prints"),
    (source(git={"url": "git@a.b:c", "secretRef": {"name": "s"}, "knownHosts": "# a b c"}), "ssh-keyscan HOST prints"),
    (source(git={"url": "https://a/b", "submodules": "yes"}), "must be of type boolean"),
    (source(git={"url": "https://a/b#main"}), "source.git.revision"),
    (source(git={"url": "file:///srv/r.git"}), "starts with https://, http://, git:// or ssh://"),
    (source(git={"url": "https://me@a/b"}), "name it in source.git.secretRef"),
    (source(git={"url": "git://a/b", "secretRef": {"name": "s"}}), "git:// has no password"),
    (source(git={"url": "https://a/b", "revision": "--upload-pack=touch /tmp/x"}), 'does not start with "-"'),
    (source(git={"url": "https://a/b", "revision": "main:sub"}), "name a branch, a tag or a full commit"),
    (source(git={"url": "https://a/b", "revision": "a..b"}), "name a branch, a tag or a full commit"),
    (source(git={"url": "https://a/b", "revision": "main\n"}), "name a branch, a tag or a full commit"),
    (source(git={"url": "https://a/b", "revision": ""}), "revision in body should be at least 1 chars"),
    (source(git={"url": "git://a.b/c", **TRUSTED}), "write an https:// URL, or leave caBundle out"),
    (source(git={"url": "git@a.b:c", "secretRef": {"name": "s"}, **TRUSTED}), "only an https:// server"),
    # source.s3
    (source(s3={"bucket": "bb"}), "spec.source.s3.key: Required value"),
    (source(s3={"key": "k"}), "spec.source.s3.bucket: Required value"),
    *(
        (source(s3={"bucket": "contexts", "key": "k"} | fields), words)
        for fields, words in (
            ({"bucket": "s3://b"}, "write the bucket's name alone"),
            ({"bucket": "b/c"}, "a server's URL belongs to endpoint"),
            ({"bucket": "-b"}, "write the bucket's name alone"),
            ({"key": "/k"}, "no / at the beginning"),
            ({"key": "k/"}, "no / at the beginning and end"),
            ({"key": "a//b"}, 'no empty, "." or ".." part'),
            ({"key": "a/../b"}, 'no empty, "." or ".." part'),
            ({"key": "a\nb"}, "write the name of one archive"),
            ({"endpoint": "minio:9000"}, "write https:// or http://, host and port only"),
            ({"endpoint": "https://u:p@minio"}, "host and port only"),
            ({"endpoint": "https://minio/bucket"}, "host and port only"),
            ({"endpoint": "http://minio", **TRUSTED}, "write an https:// endpoint"),
            ({"region": "eu central"}, "write a region"),
            ({"sha256": "0"}, "64 lower-case hexadecimal digits"),
            ({"secretRef": {"name": "a/b"}}, "secretRef.name in body should match"),
            ({"accessKeyId": "x"}, "unknown field"),
        )
    ),
    # source.oci
    (source(oci={}), "spec.source.oci.image: Required value"),
    (source(oci={"image": "oci://a.b/c"}), "without oci://"),
    (source(oci={"image": "context:1"}), "say which registry"),
    (source(oci={"image": "a.b/Context"}), "the repository in lower case"),
    (source(oci={"image": "a.b/context\n"}), "all in one line"),
    (source(oci={"image": "u:p@a.b/context"}), "the repository in lower case"),
    (source(oci={"image": "a.b/context@sha256:0"}), "the repository in lower case"),
    (source(oci={"image": "a.b/cc", "secretRef": {"name": "other/s"}}), "secretRef.name in body should match"),
    (source(oci={"image": "a.b/cc", "caBundle": {"secretKeyRef": {"name": "ca"}}}), "secretKeyRef.key: Required value"),
    # source.persistentVolumeClaim
    (source(persistentVolumeClaim={}), "persistentVolumeClaim.claimName: Required value"),
    (source(persistentVolumeClaim={"claimName": "../x"}), "claimName in body should match"),
    (source(persistentVolumeClaim={"claimName": "c", "path": "../x"}), 'remove the ".." steps'),
    (source(persistentVolumeClaim={"claimName": "c", "path": "/x"}), "remove the leading /"),
    (source(persistentVolumeClaim={"claimName": "c", "archive": "a/../../x"}), 'remove the ".." steps'),
    (source(persistentVolumeClaim={"claimName": "c", "path": "a", "archive": "b"}), "set either path (a directory)"),
    (source(persistentVolumeClaim={"claimName": "c", "readOnly": False}), "unknown field"),
    # source.upload
    (source(upload={"timeoutSeconds": 0}), "greater than or equal to 1"),
    (source(upload={"timeoutSeconds": 86_401}), "less than or equal to 86400"),
    (source(upload={"maxBytes": "1Gi"}), "must be of type integer"),
    (source(upload={"sha256": SHA.upper()}), "64 lower-case hexadecimal digits"),
    (source(upload={}, url="https://a.b/c.tar"), "only one source can be set"),
    # source.inline, source.configMap
    (source(inline={}), "spec.source.inline.files: Required value"),
    (files(), "should have at least 1 properties"),
    (files("/etc/passwd"), "a path relative to the context"),
    (files("a/../../b"), 'no "." or ".." step'),
    (files(".."), 'no "." or ".." step'),
    (files("./a"), 'no "." or ".." step'),
    (files("a/"), "no leading or trailing /"),
    (files("a//b"), "a path relative to the context"),
    (files("a\\b"), "no backslash or control character"),
    (files("a\nb"), "no backslash or control character"),
    (files(""), "a path relative to the context"),
    (files("x" * 256), "255 characters at most"),
    (files("a", "a/b"), "both as a file and as a directory"),
    (files(*map(str, range(65))), "must have at most 64 items"),
    (source(inline={"files": {"a": "x" * 60_000, "b": "x" * 60_000}}), "98304 bytes together at most"),
    (source(inline={"files": {"a": "ü" * 60_000}}), "98304 bytes together at most"),
    (source(configMap={}), "spec.source.configMap.name: Required value"),
    (source(configMap={"name": "../x"}), "configMap.name in body should match"),
    # contextDir, dockerfile, target
    ({"contextDir": "/abs"}, "remove the leading /"),
    ({"contextDir": "../.."}, 'remove the ".." steps'),
    ({"contextDir": "a/../b"}, 'remove the ".." steps'),
    ({"contextDir": "a\nb"}, "without control characters"),
    ({"contextDir": ""}, "should be at least 1 chars"),
    ({"dockerfile": {"path": "/Dockerfile"}}, "remove the leading /"),
    ({"dockerfile": {"path": "../Dockerfile"}}, 'remove the ".." steps'),
    ({"dockerfile": {"path": "a", "inline": "FROM scratch"}}, "either path or inline, not both"),
    ({"dockerfile": {"inline": "x" * 98_305}}, "may not be more than 98304"),
    ({"dockerfile": {"inline": "ü" * 60_000}}, "98304 bytes at most"),
    ({"target": "-x"}, "name of a stage"),
    ({"target": "a b"}, "name of a stage"),
    # buildArgs
    (arg(), 'build arg A: set value (it may be "") or valueFrom'),
    (arg(value="x", valueFrom=KEY), "build arg A: set value or valueFrom, not both"),
    (arg(name="A=b", value=""), 'without "="'),
    (arg(name="1A", value=""), "not starting with a digit"),
    (arg(name="", value=""), "name of an ARG"),
    (arg(value=None), "set value"),
    (arg(value=1), "must be of type string"),
    (arg(valueFrom={}), "exactly one of secretKeyRef and configMapKeyRef"),
    (arg(valueFrom=KEY | MAP_KEY), "exactly one of secretKeyRef and configMapKeyRef"),
    (arg(valueFrom={"secretKeyRef": {"name": "s"}}), "secretKeyRef.key: Required value"),
    (arg(valueFrom={"secretKeyRef": {"key": "k"}}), "secretKeyRef.name: Required value"),
    (arg(valueFrom={"secretKeyRef": {"name": "s", "key": "a/b"}}), "key in body should match"),
    (arg(name="HTTP_PROXY", valueFrom=KEY), "build arg HTTP_PROXY"),
    (arg(name="https_proxy", valueFrom=KEY), "rename the ARG"),
    (arg(name="PATH", valueFrom=KEY), "rename the ARG"),
    (arg(name="KANIKO_DIR", valueFrom=KEY), "rename the ARG"),
    (arg(name="LD_PRELOAD", valueFrom=KEY), "rename the ARG"),
    (arg(name="AWS_SECRET_ACCESS_KEY", valueFrom=KEY), "rename the ARG"),
    (
        {"buildArgs": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
        "each name of buildArgs can be given once",
    ),
    ({"buildArgs": [{"name": f"A{i}", "value": ""} for i in range(101)]}, "must have at most 100 items"),
    ({"buildArgs": [{"name": f"A{i}", "value": "x" * 90_000} for i in range(2)]}, "96000 bytes together at most"),
    # buildSecrets
    (secret(), "build secret npm: set secretKeyRef or configMapKeyRef"),
    (secret(**KEY, **MAP_KEY), "build secret npm: keep one of secretKeyRef and configMapKeyRef"),
    (secret(**KEY, id=None), "spec.buildSecrets[0].id: Required value"),
    (secret(**KEY, id=""), "should be at least 1 chars long"),
    (secret(**KEY, id="a b"), "write the id of RUN --mount=type=secret,id=…"),
    (secret(**KEY, id="a/b"), "letters, digits and _ . -"),
    (secret(**KEY, id=".npmrc"), "and a letter, a digit or _ first"),
    (secret(value="hunter2"), 'unknown field "spec.buildSecrets[0].value"'),
    ({"buildSecrets": [{"id": "npm"} | KEY, {"id": "npm"} | MAP_KEY]}, "each id of buildSecrets can be given once"),
    ({"buildSecrets": [{"id": f"s{i}"} | KEY for i in range(33)]}, "must have at most 32 items"),
    # output
    ({"output": None}, "spec.output: Required value"),
    ({"output": {}}, "spec.output.images: Required value"),
    (images(), "should have at least 1 items"),
    (images(*(f"a.b/app:{i}" for i in range(17))), "must have at most 16 items"),
    (images("a.b/app", "a.b/app"), "each value of images can be given once"),
    (images("registry.example.com/Team/App:1"), '"registry.example.com/Team/App:1": repository names are lower-case'),
    (images("Team/app"), "repository names are lower-case"),
    (images("registry:5000/App"), "repository names are lower-case"),
    (images("app:1"), "say which registry"),
    (images("a.b/app:bad tag"), "an image reference has no spaces"),
    (images(" a.b/app"), "an image reference has no spaces"),
    (images("a.b/app\n"), "line breaks"),
    (images("https://a.b/app"), "without http:// or https://"),
    (images("a.b/app@sha256:" + SHA), "the digest is a result of the build"),
    (images("a.b/app:1@sha256:" + SHA), "the digest is a result of the build"),
    (images("a.b/app:"), "write a tag after"),
    (images("a.b/app:" + "t" * 129), "not an image reference"),
    (images("a.b/app:-x"), "not an image reference"),
    (images("a.b/app,a.b/other"), "not an image reference"),
    (images("a.b//app"), "not an image reference"),
    (images("a.b/app/"), "not an image reference"),
    (images("-a.b/app"), "not an image reference"),
    (images("a.b:port/app"), "not an image reference"),
    (images("a.b/x"), "at least two characters"),
    (images("a.b/" + "x" * 400), "may not be more than 400"),
    ({"output": {"images": ["a.b/app"], "push": "yes"}}, "must be of type boolean"),
    (
        {"output": {"images": ["a.b/app"], "skipIfUnchanged": True, "attestations": {"sbom": "SPDX"}}},
        "output.skipIfUnchanged can't be combined with output.signing and output.attestations",
    ),
    ({"output": {"images": ["a.b/app"], "skipIfUnchanged": True, "push": False}}, "nor with push: false"),
    ({"output": {"images": ["a.b/app"], "pushSecretRef": {}}}, "pushSecretRef.name: Required value"),
    # output.platforms
    (for_platforms(), "should have at least 1 items"),
    (for_platforms("linux/amd64", "linux/amd64"), "each platform can be given once"),
    (for_platforms("linux/arm64/v8", "linux/amd64", "linux/arm64"), "linux/arm64 is linux/arm64/v8"),
    (for_platforms("linux/arm", "linux/arm/v7"), "linux/arm is linux/arm/v7"),
    (for_platforms(*(f"linux/arm/v{number}" for number in range(9))), "Too many"),
    (for_platforms("amd64"), '"amd64": write OS/ARCHITECTURE, like linux/amd64'),
    (for_platforms("linux/x86_64"), '"linux/x86_64": write linux/amd64'),
    (for_platforms("linux/aarch64"), '"linux/aarch64": write linux/arm64'),
    (for_platforms("windows/amd64"), "the builder runs on Linux, and builds for linux/"),
    (for_platforms("linux/arm/7"), "write OS/ARCHITECTURE[/VARIANT], like linux/amd64, linux/arm64 or linux/arm/v7"),
    (for_platforms("linux/arm64,linux/amd64"), "write OS/ARCHITECTURE[/VARIANT]"),
    (for_platforms("linux/arm64\n"), "write OS/ARCHITECTURE[/VARIANT]"),
    (for_platforms("linux/arm64", platformNodes="None"), "Unsupported value"),
    (for_platforms("linux/arm64") | on_nodes(**{"kubernetes.io/arch": "arm"}), "asks for nodes of another platform"),
    (
        for_platforms("linux/amd64", "linux/arm64") | on_nodes(**{"kubernetes.io/arch": "amd64"}),
        "take kubernetes.io/os and kubernetes.io/arch out of it, or set output.platformNodes to Any",
    ),
    (for_platforms("linux/amd64") | on_nodes(**{"kubernetes.io/os": "windows"}), "asks for nodes of another platform"),
    *(
        ({"output": {"images": ["a.b/app"], "labels": {name: value}}}, words)
        for name, value, words in (
            ("", "", "a label's name has letters"),
            ("a=b", "", "a label's name has letters"),
            ("a b", "", "a label's name has letters"),
            ("a\n", "", "a label's name has letters"),
            ("x" * 129, "", "128 characters at most"),
            ("a", "\0", "no NUL character"),
            ("a", 1, "must be of type string"),
            ("a", "x" * 4097, "may not be more than 4096"),
        )
    ),
    ({"output": {"images": ["a.b/app"], "labels": {f"a{i}": "x" * 4096 for i in range(5)}}}, "16384 bytes together"),
    ({"output": {"images": ["a.b/app"], "labels": {f"a{i}": "" for i in range(65)}}}, "must have at most 64 items"),
    # output.corroborate
    (signed(corroborate="OtherNode"), "output.corroborate needs output.timestamp"),
    (signed(corroborate="Twice", timestamp="Zero"), 'supported values: "OtherNode", "AnyNode"'),
    (signed(corroborate="AnyNode", timestamp="Zero", push=False), "but push is false: leave one of them out"),
    (signed(corroborate="AnyNode", timestamp="Zero", skipIfUnchanged=True), "and output.skipIfUnchanged not at all"),
    # output.attestations, output.signing
    (signed(attestations={"provenance": True}), "must be of type string"),
    (signed(attestations={"sbom": "Syft"}), 'supported values: "SPDX", "CycloneDX", "None"'),
    (signed(provenance="SLSA"), 'unknown field "spec.output.provenance"'),
    (signed(signing={}), "say what signs: set key.secretRef"),
    (signed(signing={"key": {}}), "say where the key is: set secretRef"),
    (signed(signing={"key": {"secretRef": {}}}), "signing.key.secretRef.name: Required value"),
    (signed(signing={"secretRef": {"name": "cosign"}}), 'unknown field "spec.output.signing.secretRef"'),
    # executor
    *(
        ({"executor": {"args": list(args)}}, words)
        for *args, words in (
            ("reproducible", "write --FLAG=VALUE"),
            ("-v", "write --FLAG=VALUE"),
            ("--destination=a.b/app", "--destination is not allowed: use spec.output"),
            ("--no-push", "use spec.output"),
            ("--build-arg=A=hunter2", "--build-arg is not allowed: use spec.buildArgs"),
            ("--label=a=b", "use spec.output.labels"),
            ("--cache-repo=a.b/c", "use spec.cache"),
            ("--insecure", "use spec.registries"),
            ("--skip-tls-verify-registry=a.b", "use spec.registries"),
            ("--kaniko-dir=/x", "lists those that are"),
            ("--skip-push-permission-check", "lists those that are"),
            ("--digest-file=/x", "lists those that are"),
            ("--reproducible=yes", "--reproducible takes true or false"),
            ("--push-retry=21", "a number up to 20"),
            ("--push-retry", "a number up to 20"),
            ("--compression=xz", "--compression takes gzip or zstd"),
            ("--compression-level=23", "a number from -1 to 22"),
            ("--ignore-path=tmp", "an absolute path"),
            ("--ignore-path=/a\n", "an absolute path"),
            ("--annotation=a", "NAME=VALUE"),
            ("--snapshot-mode=fast", "full, redo or time"),
            ("--verbosity=panic", "error, warn, info, debug or trace"),
            ("--reproducible", "--reproducible=false", "can be given once"),
            ("--reproducible", "--reproducible", "can be given once"),
        )
    ),
    ({"executor": {"image": "a.b/executor"}}, 'unknown field "spec.executor.image"'),
    # pullSecretRefs, cache
    ({"pullSecretRefs": ["pull"]}, "must be of type object"),
    ({"pullSecretRefs": [{"name": "a"}, {"name": "a"}]}, "each name of pullSecretRefs can be given once"),
    ({"pullSecretRefs": [{"name": f"a{i}"} for i in range(9)]}, "must have at most 8 items"),
    ({"cache": {}}, "set enabled: true to use the layer cache"),
    ({"cache": {"repo": "a.b/cache"}}, "set enabled: true to use the layer cache"),
    ({"cache": {"mounts": {"persistentVolumeClaim": {"claimName": "../x"}}}}, "claimName in body should match"),
    ({"cache": {"mounts": {"persistentVolumeClaim": {}}}}, "claimName: Required value"),
    ({"cache": {"enabled": True, "baseImages": {"persistentVolumeClaim": {}}}}, "claimName: Required value"),
    ({"cache": {"baseImages": {"persistentVolumeClaim": {"claimName": "bases"}}}}, "set enabled: true"),
    ({"cache": {"enabled": True, "repo": "a.b/Cache"}}, "write a repository in lower case"),
    ({"cache": {"enabled": True, "repo": "a.b/cache:1"}}, "without http://, tag and digest"),
    ({"cache": {"enabled": True, "repo": "oci:/cache"}}, "write a repository in lower case"),
    ({"cache": {"enabled": True, "repo": "cache"}}, "write a repository in lower case"),
    ({"cache": {"enabled": True, "ttlSeconds": 0}}, "greater than or equal to 1"),
    # registries
    (registry(host=""), "should be at least 1 chars"),
    (registry(host="https://a.b"), "without http:// or https:// (plain HTTP: plainHTTP: true)"),
    (registry(host="a.b/c"), "without a path"),
    (registry(host="a.b:x"), "write HOST or HOST:PORT"),
    (registry(mirrors=[]), "should have at least 1 items"),
    (registry(mirrors=["https://m.example.com"]), "without http:// or https://"),
    (registry(mirrors=["m.example.com/"]), "without / at the end"),
    (registry(mirrors=["m.example.com/a b"]), "write HOST[:PORT][/PATH]"),
    (registry(mirrors=["a=b"]), "write HOST[:PORT][/PATH]"),
    (registry(caBundle={}), "set configMapKeyRef or secretKeyRef"),
    (registry(caBundle={"configMapKeyRef": CA, "secretKeyRef": CA}), "keep one of configMapKeyRef and secretKeyRef"),
    (registry(caBundle={"configMapKeyRef": {"name": "ca"}}), "caBundle.configMapKeyRef.key: Required value"),
    (registry(caBundle={"secretKeyRef": {**CA, "key": "../x"}}), "secretKeyRef.key in body should match"),
    (registry(caBundle={"configMapKeyRef": {**CA, "name": "a/b"}}), "configMapKeyRef.name in body should match"),
    (
        registry(caBundle={"configMapKeyRef": CA}, insecureSkipTLSVerify=True),
        "docker.io: caBundle lets the certificate",
    ),
    (registry(caBundle={"configMapKeyRef": CA}, plainHTTP=True), "leave out plainHTTP and insecureSkipTLSVerify"),
    (registry(mapTo="http://m.example.com"), "without http:// or https://"),
    (registry(mirrors=["m.example.com"], mapTo="m.example.com"), "docker.io: set mirrors"),
    (
        {"registries": [{"host": "a.b", "mirrors": ["m.c"]}, {"host": "c.d", "mapTo": "m.c"}]},
        "mirrors and mapTo cannot be mixed in one build",
    ),
    (
        {"registries": [{"host": "a.b"}, {"host": "a.b", "plainHTTP": True}]},
        "each host of registries can be given once",
    ),
    # timeoutSeconds
    ({"timeoutSeconds": 0}, "greater than or equal to 1"),
    ({"timeoutSeconds": -1}, "greater than or equal to 1"),
    ({"timeoutSeconds": 315_360_000}, "less than or equal to 604800"),
    ({"timeoutSeconds": "1h"}, "must be of type integer"),
    # retry
    ({"retry": {"limit": -1}}, "greater than or equal to 0"),
    ({"retry": {"limit": 11}}, "less than or equal to 10"),
    ({"retry": {"memoryPercent": 100}}, "greater than or equal to 101"),
    ({"retry": {"memoryPercent": 150.5}}, "must be of type integer"),
    ({"retry": {"backoff": 1}}, 'unknown field "spec.retry.backoff"'),
    # cancel, ttlSecondsAfterFinished
    ({"cancel": "yes"}, "must be of type boolean"),
    ({"suspend": "yes"}, "must be of type boolean"),
    ({"concurrency": {"group": "a b", "policy": "Serial"}}, "should match"),
    ({"concurrency": {"group": "main", "policy": "Newest"}}, "Unsupported value"),
    ({"concurrency": {"policy": "Serial"}}, "spec.concurrency.group: Required value"),
    ({"concurrency": {"group": "main"}}, "spec.concurrency.policy: Required value"),
    ({"queueName": "Team_Queue"}, "should match"),
    ({"priority": 1001}, "less than or equal to 1000"),
    ({"priority": "high"}, "must be of type integer"),
    ({"ttlSecondsAfterFinished": -1}, "greater than or equal to 0"),
    ({"ttlSecondsAfterFinished": "1h"}, "must be of type integer"),
    # podTemplate
    (pod_metadata(labels={"imagebuild.dev/build-uid": "x"}), "remove imagebuild.dev/build-uid"),
    (pod_metadata(labels={"app.kubernetes.io/name": "x"}), "reserved for the operator"),
    (pod_metadata(annotations={"imagebuild.dev/x": "x"}), "reserved for the operator"),
    (pod_metadata(labels={"team": "x" * 64}), "may not be more than 63"),
    (
        pod_metadata(annotations={"container.apparmor.security.beta.kubernetes.io/build": "unconfined"}),
        "AppArmor and seccomp profiles cannot be chosen",
    ),
    (pod_metadata(name="x"), 'unknown field "spec.podTemplate.metadata.name"'),
    (of(resources={"limits": {"memory": "lots"}}), "should match"),
    (of(resources={"claims": []}), "unknown field"),
    (of(resources={"limits": {"cpu": "-1"}}), "a quantity cannot be negative"),
    (of(resources={"requests": {"memory": -1}}), "a quantity cannot be negative"),
    (of(resources={"requests": {"Cpu": 1}}), "write cpu, memory, ephemeral-storage, or the name"),
    (
        of(resources={"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}),
        "the request for cpu is larger than its limit",
    ),
    (of(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "2G"}}), "the request for memory is larger"),
    (pod(nodeSelector={"a b": "c"}), '"a b": write a name of at most 63 letters'),
    (pod(nodeSelector={"a": "b c"}), "a value has at most 63 letters"),
    (pod_metadata(labels={"-a": "b"}), '"-a": write a name of at most 63 letters'),
    (pod_metadata(labels={"a": "-b"}), "a value has at most 63 letters"),
    (pod_metadata(labels={"Example.com/a": "b"}), '"Example.com/a": write a name'),
    (pod_metadata(annotations={"a/b/c": "x y"}), '"a/b/c": write a name of at most 63 letters'),
    (pod(tolerations=[{"effect": "Never"}]), "Unsupported value"),
    (pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}), "Required value"),
    (pod(serviceAccountName="a_b"), "serviceAccountName in body should match"),
    # env
    (env(name="A B", value=""), "name of a variable: letters, digits and _"),
    (env(name="A"), 'env A: set value (it may be "") or valueFrom'),
    (env(name="A", value="", valueFrom={"secretKeyRef": CA}), "env A: set value or valueFrom, not both"),
    (env(name="A", valueFrom={}), "set exactly one of secretKeyRef and configMapKeyRef"),
    (env(name="A", value="x\0"), "no NUL character"),
    (env(name="BUILD_SECRET_npm", value="x"), "name BUILD_SECRET_npm is reserved"),
    (env(name="OUTPUT_IMAGE", value="a.b/other"), "name OUTPUT_IMAGE is reserved: it has a meaning for the builder"),
    (env(name="https_proxy", value="http://p:1"), "set the proxy in proxy, which reaches every container"),
    (env(name="SSL_CERT_FILE", value="/x"), "set caBundle of the source or of a registry"),
    (
        {"env": [{"name": "A", "value": "a"}, {"name": "A", "value": "b"}]},
        "each name of env can be given once",
    ),
    ({"env": [{"name": f"A{n}", "value": "x" * 4096} for n in range(5)]}, "16384 bytes together"),
    # proxy
    ({"proxy": {"httpProxy": "proxy.example.com:3128"}}, "like http://proxy.example.com:3128"),
    ({"proxy": {"httpProxy": "socks5://proxy:1080"}}, "write the URL of the proxy"),
    ({"proxy": {"httpsProxy": "http://me:hunter2@proxy:3128"}}, "name it in proxy.secretRef"),
    ({"proxy": {"httpProxy": "http://proxy:3128/path"}}, "write the URL of the proxy"),
    ({"proxy": {"noProxy": ".svc\n.local"}}, "comma-separated in one line"),
    ({"proxy": {"noProxy": ".svc", "secretRef": {"name": "proxy"}}}, "set either secretRef, or httpProxy"),
    ({"proxy": {"secretRef": {}}}, "proxy.secretRef.name: Required value"),
    ({"proxy": {"allProxy": "x"}}, 'unknown field "spec.proxy.allProxy"'),
    # nothing that widens the pod
    *((pod(**{field: {}}), f'unknown field "spec.podTemplate.spec.{field}"') for field in ("volumes", "containers")),
    *(
        (pod(**{field: True}), f'unknown field "spec.podTemplate.spec.{field}"')
        for field in (
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "securityContext",
            "automountServiceAccountToken",
            "nodeName",
        )
    ),
]


#: Invisible characters: a NUL, a bell, an escape, a zero-width space, and one that turns the direction of writing.
INVISIBLE = ["\0", "\a", "\x1b", "\u200b", "\u202e"]
#: Fields that one line of visible characters is written into, and a value that is good but for what is added to it.
LINES: dict[str, Callable[[str], dict[str, Any]]] = {
    "url": lambda bad: source(url=f"https://a.b/{bad}x"),
    "data": lambda bad: source(url=f"data:,{bad}x"),
    "http": lambda bad: source(http={"url": f"https://a.b/{bad}x"}),
    "git": lambda bad: source(git={"url": f"https://a.b/{bad}x"}),
    "ssh": lambda bad: source(git={"url": f"ssh://a.b/{bad}x", "secretRef": {"name": "s"}}),
    "user@host": lambda bad: source(git={"url": f"git@a.b:x{bad}", "secretRef": {"name": "s"}}),
    "revision": lambda bad: source(git={"url": "https://a.b/x", "revision": f"main{bad}"}),
    "knownHosts": lambda bad: source(
        git={"url": "git@a.b:x", "secretRef": {"name": "s"}, "knownHosts": KNOWN_HOSTS + bad}
    ),
    "bucket": lambda bad: source(s3={"bucket": f"bb{bad}", "key": "k"}),
    "key": lambda bad: source(s3={"bucket": "bb", "key": f"k{bad}"}),
    "endpoint": lambda bad: source(s3={"bucket": "bb", "key": "k", "endpoint": f"https://a.b{bad}"}),
    "image of a source": lambda bad: source(oci={"image": f"a.b/app{bad}"}),
    "path": lambda bad: source(persistentVolumeClaim={"claimName": "c", "path": f"x{bad}"}),
    "name of a file": lambda bad: files(f"x{bad}"),
    "name of an object": lambda bad: source(configMap={"name": f"x{bad}"}),
    "contextDir": lambda bad: {"contextDir": f"x{bad}"},
    "dockerfile.path": lambda bad: {"dockerfile": {"path": f"x{bad}"}},
    "target": lambda bad: {"target": f"x{bad}"},
    "name of an argument": lambda bad: arg(name=f"A{bad}", value=""),
    "image": lambda bad: images(f"a.b/app{bad}"),
    "label": lambda bad: {"output": {"images": ["a.b/app"], "labels": {f"a{bad}b": ""}}},
    "cache": lambda bad: {"cache": {"enabled": True, "repo": f"a.b/app{bad}"}},
    "host": lambda bad: registry(host=f"a.b{bad}"),
    "mirror": lambda bad: registry(mirrors=[f"a.b{bad}"]),
    "mapTo": lambda bad: registry(mapTo=f"a.b{bad}"),
    "executor": lambda bad: {"executor": {"args": [f"--annotation=a=b{bad}"]}},
    "name of a variable": lambda bad: env(name=f"A{bad}", value=""),
    "proxy": lambda bad: {"proxy": {"httpProxy": f"http://a.b{bad}"}},
    "group": lambda bad: {"concurrency": {"group": f"x{bad}", "policy": "Serial"}},
}


def test_no_spec(builds: Builds) -> None:
    assert "spec: Required value" in builds.refusal(None)


@pytest.mark.shows("A9", "A15")
@pytest.mark.parametrize(("fields", "words"), CASES, ids=[f"{str(fields)[:60]}" for fields, _ in CASES])
def test_refused(builds: Builds, fields: dict[str, Any], words: str) -> None:
    assert words in builds.refusal(spec(**fields))


@pytest.mark.shows("A18")
@pytest.mark.parametrize("field", LINES)
def test_what_can_not_be_seen_and_what_is_huge_is_refused(builds: Builds, field: str) -> None:
    for bad in (*INVISIBLE, "x" * 2**20):
        assert "is invalid" in builds.refusal(spec(**LINES[field](bad)))
    assert builds.create(spec(**LINES[field]("")))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dockerfile": {"inline": "FROM a\0"}}, "a Dockerfile holds no NUL character"),
        (arg(value="a\0"), "a value holds no NUL character"),
    ],
)
def test_a_nul_is_refused_where_lines_are_taken(builds: Builds, fields: dict[str, Any], words: str) -> None:
    assert words in builds.refusal(spec(**fields))


@pytest.mark.shows("A12")
def test_a_refused_password_is_not_repeated(builds: Builds) -> None:
    assert "hunter2" not in builds.refusal(spec(source={"git": {"url": "https://me:hunter2@a/b"}}))
    assert "hunter2" not in builds.refusal(spec(source={"git": {"url": "ssh://me:hunter2@a/b"}}))
    assert "hunter2" not in builds.refusal(spec(executor={"args": ["--build-arg=A=hunter2"]}))
