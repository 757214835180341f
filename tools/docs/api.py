"""Generates docs/reference/api.md from the CRDs."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

#: Fields with the shape that they have in a Pod: described there, not here.
POD = "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/"
AS_IN_A_POD = {"affinity", "tolerations", "topologySpreadConstraints", "dnsConfig", "hostAliases", "resources"}

#: Shorter bounds on strings only keep the API server's rules cheap; nobody meets them.
NOTABLE_LENGTH = 10_000

HEAD = """\
# API

<!-- Generated from the files in crds/ by tools/docs/api.py; edit the descriptions in crds/imagebuild.yaml and
tools/docs/imagebuilddefaults.yaml and tools/docs/trackedimage.yaml. -->

The same descriptions are in `kubectl explain imagebuild.spec`. An invalid spec is refused by the API server with the
messages below; `kubectl apply` refuses unknown fields as well.
"""

KIND = """\
## {kind}

`{group}/{version}`, kind `{kind}`, resource `{plural}`, short `{short}`, category `{category}`, {scope}.

{description}

`kubectl get {short}` shows {columns}{wide}.
"""


def render(image_build: Schema, defaults: Schema, cluster_defaults: Schema, tracked: Schema) -> str:
    """Make the page for all definitions; a shape that several have is described in the first."""
    seen: dict[int, str] = {}
    spec, status = (properties(image_build)[part] for part in ("spec", "status"))
    return "\n".join(
        [
            HEAD,
            head(image_build),
            *sections("spec", spec, seen),
            *sections("status", status, seen),
            head(defaults),
            *sections("ImageBuildDefaults.spec", properties(defaults)["spec"], seen),
            *sections("ImageBuildDefaults.status", properties(defaults)["status"], seen),
            head(cluster_defaults),
            "Its spec and status have the fields of [ImageBuildDefaults](#imagebuilddefaults).\n",
            head(tracked),
            *sections("TrackedImage.spec", properties(tracked)["spec"], seen),
            *sections("TrackedImage.status", properties(tracked)["status"], seen),
        ]
    )


def properties(crd: Schema) -> dict[str, Schema]:
    """Give the parts of a definition's only version."""
    [version] = crd["spec"]["versions"]
    parts: dict[str, Schema] = version["schema"]["openAPIV3Schema"]["properties"]
    return parts


def head(crd: Schema) -> str:
    """Introduce a kind."""
    names, [version] = crd["spec"]["names"], crd["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    wide = ", ".join(column["name"] for column in columns if column.get("priority"))
    return KIND.format(
        group=crd["spec"]["group"],
        scope="namespaced" if crd["spec"]["scope"] == "Namespaced" else "cluster-scoped",
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        short=names["shortNames"][0],
        category=names["categories"][0],
        description=version["schema"]["openAPIV3Schema"]["description"],
        columns=", ".join(column["name"] for column in columns if not column.get("priority")),
        wide=f"; `-o wide` adds {wide}" if wide else "",
    )


def sections(path: str, schema: Schema, seen: dict[int, str]) -> Iterator[str]:
    """Give a section for an object and one for each object in it, each shape once."""
    seen[id(core(schema))] = path
    schema = core(schema)
    # Below the heading of its kind, with which the paths of all kinds but the first begin.
    depth = path.count(".") - path[0].isupper()
    yield f"{'#' * min(3 + depth, 5)} {path}\n\n{schema['description']}\n"
    inner: list[tuple[str, Schema]] = []
    rows = ["| field | type | meaning |", "|---|---|---|"]
    rules = list(messages(schema))
    for name, field in schema["properties"].items():
        required = " **Required.**" if name in schema.get("required", []) else ""
        text = field.get("description", "") + required + limits(field)
        child = core(field)
        if name in AS_IN_A_POD:
            text += f" See [Pod]({POD})."
        elif "properties" in child and not is_reference(child):
            target = seen.get(id(child)) or f"{path}.{name}{'[]' * (field['type'] == 'array')}"
            text += f" See [{target}](#{anchor(target)})."
            if id(child) not in seen:
                inner.append((target, field))
        rows.append(f"| `{name}` | {kind(field)} | {cell(text)} |")
        rules += [f"`{name}`: {message}" for message in leaf_messages(field)]
    yield "\n".join(rows) + "\n"
    if rules:
        yield "Rules:\n\n" + "\n".join(f"- {rule}" for rule in rules) + "\n"
    for target, field in inner:
        if id(core(field)) not in seen:
            yield from sections(target, field, seen)


def core(schema: Schema) -> Schema:
    """Give the schema of a list's items, or the schema itself."""
    items: Schema = schema.get("items", schema)
    return items


def messages(schema: Schema) -> Iterator[str]:
    """Give what the rules of a schema say."""
    for rule in schema.get("x-kubernetes-validations", []):
        yield rule["message"]


def leaf_messages(field: Schema) -> Iterator[str]:
    """Give the rules of a field that gets no section of its own, and those of a list as a whole."""
    if "items" in field:
        yield from messages(field)
    if "properties" not in core(field) or is_reference(core(field)):
        yield from messages(core(field))


def is_reference(schema: Schema) -> bool:
    """Tell whether an object only names another (name, or name and key)."""
    return set(schema.get("properties", {})) in ({"name"}, {"name", "key"})


def kind(schema: Schema) -> str:
    """Name a field's type."""
    if is_reference(schema):
        return "{" + ", ".join(schema["properties"]) + "}"
    if schema["type"] == "array":
        item = kind(schema["items"])
        return f"list of {item}" + "s" * item.isalpha()
    if "additionalProperties" in schema:
        values = schema["additionalProperties"]
        return f"map to {'quantity' if 'type' not in values else kind(values)}"
    if schema.get("format") == "date-time":
        return "time"
    return str(schema["type"])


def limits(field: Schema) -> str:
    """Say a field's default, choices and bounds."""
    found = []
    if "default" in field:
        found.append(f"Default: `{str(field['default']).lower()}`.")
    if "enum" in field:
        found.append("One of " + ", ".join(f"`{choice}`" for choice in field["enum"]) + ".")
    if "minimum" in field and "maximum" in field:
        least = f"More than {field['minimum']}," if field.get("exclusiveMinimum") else f"From {field['minimum']}"
        found.append(f"{least} to {field['maximum']}.")
    if "maxItems" in field:
        found.append(f"{field['maxItems']} items at most.")
    if "maxProperties" in field:
        found.append(f"{field['maxProperties']} entries at most.")
    if field.get("maxLength", 0) >= NOTABLE_LENGTH:
        found.append(f"{field['maxLength']} characters at most.")
    return "".join(f" {sentence}" for sentence in found)


def anchor(heading: str) -> str:
    """Give the fragment that a Markdown heading gets."""
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_")


def cell(text: str) -> str:
    """Escape text for a table's cell."""
    return text.replace("|", "\\|").replace("<", "&lt;")
