"""Certificates of an authority of our own, for servers on loopback."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Https:
    """A certificate for one address or host name, and its CA."""

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def make(cls, directory: Path, address: str = "127.0.0.1") -> "Https":
        made = cls(directory / "server.crt", directory / "server.key", directory / "ca.crt")
        authority_key = directory / "ca.key"
        new = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]
        _run(*new, "-subj", "/CN=own authority", "-keyout", str(authority_key), "-out", str(made.authority))
        signed = ["-CA", str(made.authority), "-CAkey", str(authority_key), "-subj", f"/CN={address}"]
        kind = "DNS" if address[-1].isalpha() else "IP"
        names = ["-addext", f"subjectAltName={kind}:{address}", "-addext", "basicConstraints=critical,CA:FALSE"]
        _run(*new, *signed, *names, "-keyout", str(made.key), "-out", str(made.certificate))
        return made

    @classmethod
    def make_expired(cls, directory: Path) -> "Https":
        """One whose time was over long ago."""
        made = cls(directory / "server.crt", directory / "server.key", directory / "server.crt")
        request, config = directory / "server.csr", directory / "ca.conf"
        (directory / "index").touch()
        config.write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={directory}/index\nnew_certs_dir={directory}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
            "[names]\nsubjectAltName=IP:127.0.0.1\n"
        )
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(made.key)]
        _run("openssl", "req", "-new", *key, "-subj", "/CN=127.0.0.1", "-out", str(request))
        time = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
        signed = ["-selfsign", "-keyfile", str(made.key), "-in", str(request), "-out", str(made.certificate), "-notext"]
        _run("openssl", "ca", "-batch", "-config", str(config), *time, *signed)
        return made


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
