"""The Secret that a build owns."""

import pytest
from imagebuild import image_build
from imagebuild.build import Build
from imagebuild.build_secrets import MAX_VALUE, secret_name, secret_of, with_ca, with_secrets

MANIFEST = image_build(["registry.example.com/team/app:1"], url="https://example.com/a.tar", generate_name="app-")


def test_the_name_begins_with_that_of_the_build_and_fits():
    assert secret_name(MANIFEST, "01ab") == "app-secrets-01ab"
    assert len(secret_name({"metadata": {"name": "a" * 253}}, "01234567")) <= 253


def test_a_manifest_gets_references_and_the_given_one_stays():
    whole = with_secrets(MANIFEST, "app-secrets-1", {"npm": b"x"})
    reference = {"id": "npm", "secretKeyRef": {"name": "app-secrets-1", "key": "npm"}}
    assert whole["spec"]["buildSecrets"] == [reference]
    assert "buildSecrets" not in MANIFEST["spec"]
    again = with_secrets(whole, "other", {"b": b""})
    assert [each["id"] for each in again["spec"]["buildSecrets"]] == ["npm", "b"]


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="have 1048577 bytes together, and a Secret holds 1048576"):
        with_secrets(MANIFEST, "s", {**{str(n): b"x" * MAX_VALUE for n in range(8)}, "b": b"x"})
    with pytest.raises(ValueError, match="the build secret a has 131073 bytes, and may have 131072"):
        with_secrets(MANIFEST, "s", {"a": b"x" * (MAX_VALUE + 1)})


@pytest.mark.parametrize("value", [b"a\x00b", b"\xff"])
def test_values_that_are_no_text_are_refused(value: bytes):
    with pytest.raises(ValueError, match=r"^the build secret a is no text .*: encode it with base64$"):
        with_secrets(MANIFEST, "s", {"a": value})


def test_a_ca_bundle_is_for_the_registries_of_the_images_and_what_is_said_of_them_stays():
    images = ["registry.example.com:5443/a", "registry.example.com:5443/b", "team/c"]
    mirror = {"host": "docker.io", "mirrors": ["mirror.example.com"]}
    manifest = image_build(images, url="https://example.com/a.tar", registries=[mirror])
    bundle = {"secretKeyRef": {"name": "s", "key": "ca.crt"}}
    assert with_ca(manifest, "s")["spec"]["registries"] == [
        {**mirror, "caBundle": bundle},
        {"host": "registry.example.com:5443", "caBundle": bundle},
    ]
    assert manifest["spec"]["registries"] == [mirror]


def test_a_registry_that_is_reached_otherwise_needs_no_ca_bundle():
    manifest = image_build(["h.example/a"], url="https://a/b", registries=[{"host": "h.example", "plainHTTP": True}])
    with pytest.raises(ValueError, match=r"spec.registries has plainHTTP for h.example: leave it or the CA bundle out"):
        with_ca(manifest, "s")


def test_the_secret_belongs_to_the_build():
    build = Build({"metadata": {"name": "app", "uid": "1"}})
    assert secret_of("s", {"a": b"x"}, build) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "ownerReferences": [
                {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "name": "app", "uid": "1"}
            ],
        },
        "type": "Opaque",
        "immutable": True,
        "data": {"a": "eA=="},
    }
