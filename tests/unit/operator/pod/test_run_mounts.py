"""What `RUN --mount` needs of the pod: secrets, and the volume for caches."""

import json
from typing import Any

from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.manifest import build_pod
from support.builds import SETTINGS, a_build

NPM = {"secretKeyRef": {"name": "npm", "key": "token"}}
PIP = {"configMapKeyRef": {"name": "pip", "key": "pip.conf"}}


def pod_spec(fields: dict[str, Any]) -> dict[str, Any]:
    build = a_build(fields)
    spec: dict[str, Any] = build_pod(build, parse_spec(build.spec), SETTINGS.defaults)["spec"]
    return spec


def test_build_alone_is_given_the_secrets_and_no_file_holds_them():
    without = pod_spec({})
    spec = pod_spec({"buildSecrets": [{"id": "npmrc", **NPM}, {"id": "pip.conf", **PIP}]})
    assert [entry for entry in spec["initContainers"][1]["env"] if entry["name"].startswith("BUILD_SECRET_")] == [
        {"name": "BUILD_SECRET_FROM", "value": "npmrc=BUILD_SECRET_VALUE_0,pip.conf=BUILD_SECRET_VALUE_1"},
        {"name": "BUILD_SECRET_VALUE_0", "valueFrom": NPM},
        {"name": "BUILD_SECRET_VALUE_1", "valueFrom": PIP},
    ]
    assert (spec["initContainers"][0], spec["containers"]) == (without["initContainers"][0], without["containers"])
    assert spec["volumes"] == without["volumes"]
    assert spec["initContainers"][1]["volumeMounts"] == without["initContainers"][1]["volumeMounts"]


def test_the_volume_for_caches_is_mounted_in_build_alone():
    mounts = {"persistentVolumeClaim": {"claimName": "build-cache"}}
    spec = pod_spec({"cache": {"mounts": mounts}})
    check, build = spec["initContainers"]
    assert spec["volumes"][-1] == {"name": "caches", **mounts}
    assert build["volumeMounts"][-1] == {"name": "caches", "mountPath": "/kaniko/.run-caches"}
    assert {"name": "CACHE", "value": "false"} in build["env"]
    assert '"caches"' not in json.dumps([check, spec["containers"]])


def test_without_a_claim_nothing_is_mounted():
    assert pod_spec({"cache": {"enabled": True, "mounts": {}}}) == pod_spec({"cache": {"enabled": True}})


def test_one_claim_serves_as_source_and_for_caches():
    claim = {"persistentVolumeClaim": {"claimName": "work"}}
    spec = pod_spec({"source": claim, "cache": {"enabled": True, "mounts": claim}})
    assert [volume["name"] for volume in spec["volumes"]] == ["layout", "run", "source", "caches"]


def test_the_volume_with_base_images_is_read_by_builds_with_a_layer_cache():
    bases = {"persistentVolumeClaim": {"claimName": "base-images"}}
    spec = pod_spec({"cache": {"enabled": True, "baseImages": bases}})
    check, build = spec["initContainers"]
    volume = {"name": "bases", "persistentVolumeClaim": {"claimName": "base-images", "readOnly": True}}
    assert spec["volumes"][-1] == volume
    assert build["volumeMounts"][-1] == {"name": "bases", "mountPath": "/kaniko/.base-images", "readOnly": True}
    assert '"bases"' not in json.dumps([check, spec["containers"]])
    for without in ({"enabled": True, "baseImages": {}}, {"enabled": True}):
        assert pod_spec({"cache": without}) == pod_spec({"cache": {"enabled": True}})
    assert pod_spec({"cache": {"enabled": False, "baseImages": bases}}) == pod_spec({"cache": {"enabled": False}})
