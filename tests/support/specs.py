"""ImageBuild specs at random, generated from the CRD's own schema: a new field is covered as soon as it is there.

The schema says nothing of what CEL rules want: `SHAPES` has values that they take, by the field's path, and `heed`
mends what concerns several fields.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

Json = dict[str, Any]
Strategy = st.SearchStrategy[Any]

CRD = Path(__file__).parents[2] / "crds" / "imagebuild.yaml"
MOST_ITEMS = 3
LONGEST_TEXT = 12

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=LONGEST_TEXT)
NAMES = st.one_of(
    st.from_regex(r"[a-z0-9](?:[-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True), st.just(".".join(["a" * 63] * 3))
)
KEYS = st.from_regex(r"[-._a-zA-Z0-9]{1,8}", fullmatch=True)
PATHS = st.sampled_from(["a", "services/web", "a b/ü", "..a", "x" * 255])
HOSTS = st.sampled_from(["docker.io", "registry.example.com:5000", "10.0.0.1", "a.b", "localhost"])
LOCATIONS = st.sampled_from(["mirror.example.com", "mirror.example.com:5000/hub", "m/a/b-c"])
REPOSITORIES = st.sampled_from(["a.b/app", "docker.io/team/app", "localhost:5000/team/app_1/x"])
DIGESTS = st.sampled_from(["0" * 64, "0123456789abcdef" * 4])
PROXIES = st.sampled_from(["http://proxy.example.com:3128", "https://[::1]:3128/"])
SERVICES = st.sampled_from(["https://fulcio.example.com/a", "http://rekor.sigstore.svc:3000"])
LABEL_KEYS = st.sampled_from(["team", "example.com/cost-center", "a.b_c-d", "A" * 63])
LABELS = st.dictionaries(LABEL_KEYS, st.sampled_from(["", "web", "a.b_c-D"]), max_size=2)
QUANTITIES = st.sampled_from([1, 0, "1", "500m", "1.5", "512Mi", "2Gi", "1e3"])
RESOURCES = st.dictionaries(
    st.sampled_from(["cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "example.com/gpu"]), QUANTITIES, max_size=3
)
#: Values for strings that the schema bounds by a pattern: the pattern itself would make few of use.
BY_PATTERN: dict[str, Strategy] = {
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": NAMES,
    "^[-._a-zA-Z0-9]+$": KEYS,
}

SHAPES: dict[str, Strategy] = {
    "source.url": st.sampled_from(
        [
            "https://example.com/context.tar.gz?a=b",
            "git+https://git.example.com/team/app#main:web",
            "oci://a.b/c:1",
            "s3://contexts/app.tgz",
            "data:,x",
        ]
    ),
    "source.http.url": st.sampled_from(["https://example.com/c.zip", "http://[::1]:8000/c"]),
    "source.http.sha256": DIGESTS,
    "source.git.url": st.sampled_from(
        ["https://git.example.com/a", "git@git.example.com:a/b", "ssh://git.example.com/a"]
    ),
    "source.git.revision": st.sampled_from(["main", "v1.0", "feature/x@1", "0" * 40]),
    "source.git.knownHosts": st.just("git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="),
    "source.s3.bucket": st.sampled_from(["contexts", "a.b-c_d"]),
    "source.s3.key": PATHS,
    "source.s3.endpoint": st.sampled_from(["https://minio.example.com:9000", "http://minio"]),
    "source.s3.region": st.just("eu-central-1"),
    "source.s3.sha256": DIGESTS,
    "source.upload.sha256": DIGESTS,
    "source.oci.image": st.builds(lambda image, rest: image + rest, REPOSITORIES, st.sampled_from(["", ":1"])),
    "source.persistentVolumeClaim.path": PATHS,
    "source.persistentVolumeClaim.archive": PATHS,
    "source.inline.files": st.dictionaries(
        st.sampled_from(["Dockerfile", "src/main.py", ".dockerignore", "a b/ü.txt"]), TEXTS, min_size=1
    ),
    "contextDir": PATHS,
    "dockerfile.path": PATHS,
    "dockerfile.inline": st.builds(lambda text: f"FROM scratch\n# {text}", TEXTS),
    "target": st.sampled_from(["runtime", "0", "a.b-c_d"]),
    "buildArgs[].name": st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
    "buildArgs[].value": TEXTS,
    "buildSecrets[].id": st.sampled_from(["npm", "gh-token", "VALUE_1", "_b.C9"]),
    "output.images[]": st.builds(
        lambda image, tag: image + tag, REPOSITORIES, st.sampled_from(["", ":1", ":V1_rc-" + "x" * 120])
    ),
    "output.labels": st.dictionaries(st.from_regex(r"[a-z](?:[a-z./-]{0,6}[a-z])?", fullmatch=True), TEXTS, max_size=3),
    "output.platforms[]": st.sampled_from(["linux/amd64", "linux/arm64", "linux/arm/v7"]),
    "output.signing.keyless.fulcioURL": SERVICES,
    "output.signing.keyless.rekorURL": SERVICES,
    "output.signing.keyless.timestampURL": SERVICES,
    "cache.repo": REPOSITORIES,
    "registries[].host": HOSTS,
    "registries[].mirrors[]": LOCATIONS,
    "registries[].mapTo": LOCATIONS,
    "executor.args[]": st.sampled_from(["--reproducible", "--push-retry=3", "--annotation=a='b", "--ignore-path=/srv"]),
    "proxy.httpProxy": PROXIES,
    "proxy.httpsProxy": PROXIES,
    "proxy.noProxy": st.sampled_from([".svc,10.0.0.0/8", "*"]),
    "env[].name": st.sampled_from(["AWS_REGION", "CI_JOB_TOKEN", "X"]),
    "env[].value": TEXTS,
    "podTemplate.metadata.labels": LABELS,
    "podTemplate.spec.nodeSelector": LABELS,
    "resources.requests": RESOURCES,
    "resources.limits": RESOURCES,
    "podTemplate.metadata.annotations": st.dictionaries(LABEL_KEYS, TEXTS, max_size=2),
}


def spec_schema() -> Json:
    """The schema of `spec`."""
    [version] = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    schema: Json = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def specs(**fixed: Strategy) -> Strategy:
    """Specs that the API server takes, but for what it can't know of the pod; some fields may be given strategies."""
    shapes = {**SHAPES, **fixed}
    kinds = spec_schema()["properties"]["source"]["properties"]
    one_kind = [st.fixed_dictionaries({name: _values(kinds[name], f"source.{name}", shapes)}) for name in kinds]
    return _values(spec_schema(), "", {"source": st.one_of(one_kind), **shapes}).map(heed)


def wild_specs() -> Strategy:
    """Specs of the schema alone: what an operator might be given where the rules do not hold."""
    return _values(spec_schema(), "", {})


def heed(spec: Json) -> Json:
    """Leave out of a spec what the rules about several fields do not allow."""
    source = spec["source"]
    _keep_one(source.get("persistentVolumeClaim", {}), "path", "archive")
    _heed_ca_bundles([kind for kind in source.values() if isinstance(kind, dict)])
    git = source.get("git", {})
    if git.get("url", "https://").startswith("https://"):
        git.pop("knownHosts", None)
    else:
        git.setdefault("secretRef", {"name": "ssh"})
    _keep_one(spec.get("dockerfile", {}), "path", "inline")
    if "secretRef" in spec.get("proxy", {}):
        spec["proxy"] = {"secretRef": spec["proxy"]["secretRef"]}
    for arg in [*spec.get("buildArgs", []), *spec.get("env", [])]:
        _keep_one(arg, "value", "valueFrom")
        _keep_one(arg.get("valueFrom", {}), "secretKeyRef", "configMapKeyRef")
        if not arg.get("value") and not arg.get("valueFrom"):
            arg.pop("valueFrom", None)
            arg["value"] = ""
    for secret in spec.get("buildSecrets", []):
        _keep_one(secret, "secretKeyRef", "configMapKeyRef")
        if len(secret) == 1:
            secret["secretKeyRef"] = {"name": "npm", "key": "token"}
    if "cache" in spec and "mounts" not in spec["cache"]:
        spec["cache"].setdefault("enabled", True)
    signing = spec["output"].get("signing", {})
    _keep_one(signing, "cluster", "keyless")
    _keep_one(signing, "cluster", "key")
    _keep_one(signing, "keyless", "key")
    if not signing.keys() & {"cluster", "keyless"} and "secretRef" not in signing.get("key", {}):
        spec["output"].pop("signing", None)
    _heed_resources(spec.get("resources", {}))
    _heed_registries(spec.get("registries", []))
    _heed_output(spec)
    _heed_platforms(spec)
    args: dict[str, str] = {arg.partition("=")[0]: arg for arg in spec.get("executor", {}).get("args", [])}
    if args:
        spec["executor"]["args"] = list(args.values())
    return spec


def _heed_output(spec: Json) -> None:
    output = spec["output"]
    # It needs much of what hypothesis seldom chooses together; tests/unit/operator/api/test_level.py has it.
    output.pop("level", None)
    # The same: tests/unit/operator/decide/test_corroborate.py.
    output.pop("corroborate", None)
    if output.get("timestamp") == "Commit" and "git" not in spec["source"]:
        output["timestamp"] = "Zero"
    if {"attestations", "signing"} & output.keys() or output.get("push") is False:
        output.pop("skipIfUnchanged", None)


def _heed_resources(resources: Json) -> None:
    for name in resources.get("limits", {}):
        resources.get("requests", {}).pop(name, None)


def _heed_ca_bundles(holders: list[Json]) -> None:
    for holder in holders:
        url = str(holder.get("endpoint", holder.get("url", "https://")))
        if not url.startswith("https://") or not holder.get("caBundle"):
            holder.pop("caBundle", None)
        else:
            _keep_one(holder["caBundle"], "secretKeyRef", "configMapKeyRef")


def _heed_registries(registries: list[Json]) -> None:
    _heed_ca_bundles(registries)
    mirrors = any("mirrors" in registry for registry in registries)
    for registry in registries:
        if mirrors:
            registry.pop("mapTo", None)
        if registry.get("plainHTTP") or registry.get("insecureSkipTLSVerify"):
            registry.pop("caBundle", None)


def _heed_platforms(spec: Json) -> None:
    if "platforms" in spec["output"] and spec["output"].get("platformNodes") != "Any":
        selector = spec.get("podTemplate", {}).get("spec", {}).get("nodeSelector", {})
        for name in [name for name in selector if name.startswith("kubernetes.io/")]:
            del selector[name]


def _keep_one(fields: Json, one: str, other: str) -> None:
    if one in fields:
        fields.pop(other, None)


def _values(schema: Json, path: str, shapes: dict[str, Strategy]) -> Strategy:
    if path in shapes:
        return shapes[path]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return QUANTITIES
    match schema["type"]:
        case "object":
            return _objects(schema, path, shapes)
        case "array":
            return _arrays(schema, path, shapes)
        case "string":
            return _strings(schema)
        case "integer":
            return st.integers(schema.get("minimum", -1000), schema.get("maximum", 1000))
        case "number":
            return st.floats(schema["minimum"], schema["maximum"], exclude_min=schema.get("exclusiveMinimum", False))
        case _:
            return st.booleans()


def _objects(schema: Json, path: str, shapes: dict[str, Strategy]) -> Strategy:
    if "additionalProperties" in schema:
        values = _values(schema["additionalProperties"], f"{path}{{}}", shapes)
        return st.dictionaries(LABEL_KEYS, values, min_size=schema.get("minProperties", 0), max_size=MOST_ITEMS)
    fields = {
        name: _values(child, f"{path}.{name}".removeprefix("."), shapes) for name, child in schema["properties"].items()
    }
    required = set(schema.get("required", ()))
    # The deeper, the rarer, or no spec would be small.
    odds = 2 + path.count(".")

    @st.composite
    def compose(draw: st.DrawFn) -> Json:
        return {
            name: draw(values)
            for name, values in fields.items()
            if name in required or draw(st.integers(0, odds)) == odds
        }

    return compose()


def _arrays(schema: Json, path: str, shapes: dict[str, Strategy]) -> Strategy:
    rules = "".join(each["rule"] for each in schema.get("x-kubernetes-validations", ()))
    once = re.search(r"exists_one\(y, x(?:\.(\w+))? == y", rules)
    is_unique = once or schema.get("x-kubernetes-list-type") != "atomic"
    keys = [once[1]] if once and once[1] else schema.get("x-kubernetes-list-map-keys", ())

    def identity(item: Any) -> str:  # noqa: ANN401 - an item of any list
        return str([item.get(key) for key in keys]) if keys else str(item)

    return st.lists(
        _values(schema["items"], f"{path}[]", shapes),
        min_size=schema.get("minItems", 0),
        max_size=min(schema.get("maxItems", MOST_ITEMS), MOST_ITEMS),
        unique_by=identity if is_unique else None,
    )


def _strings(schema: Json) -> Strategy:
    pattern = schema.get("pattern")
    if pattern in BY_PATTERN:
        return BY_PATTERN[pattern]
    if pattern:
        longest = schema.get("maxLength", LONGEST_TEXT)
        return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True).filter(lambda text: len(text) <= longest)
    most = min(schema.get("maxLength", LONGEST_TEXT), LONGEST_TEXT)
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=schema.get("minLength", 0), max_size=most)
