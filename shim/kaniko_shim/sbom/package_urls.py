"""Package URLs: https://github.com/package-url/purl-spec."""

from packageurl import PackageURL

from kaniko_shim.sbom.packages import Distribution, Package


def image_url(name: str, digest: str) -> str:
    """The package URL of an image."""
    return PackageURL("oci", None, name.rpartition("/")[2], digest, {"repository_url": name}).to_string()


def package_url(package: Package, distribution: Distribution) -> str:
    """The package URL of a package; empty if its name can't be written as one."""
    namespace, name = "", package.name
    qualifiers = {}
    if package.ecosystem == "npm":
        namespace, _, name = package.name.rpartition("/")
    elif package.ecosystem in {"deb", "apk"}:
        namespace = distribution.id or "unknown"
        distro = "-".join(filter(None, (distribution.id, distribution.version)))
        qualifiers = {"arch": package.architecture, "distro": distro}
    try:
        return PackageURL(package.ecosystem, namespace, name, package.version, qualifiers).to_string()
    except (ValueError, TypeError):
        # TypeError: the name is blank.
        return ""
