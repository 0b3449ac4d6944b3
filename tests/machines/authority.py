"""A certificate authority of a test's own, and certificates of machines by their addresses."""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FIRST, LAST = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2026, 2046))


class Papers(NamedTuple):
    """Files of a server: its certificate, its key, and who vouches for it."""

    certificate: Path
    key: Path
    authority: Path


def papers_for(folder: Path, address: str) -> Papers:
    """A new authority, and the certificate it gives this address."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("test authority")
    ca = (
        _builder(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = (
        _builder(_name(address), ca_name, key)
        .add_extension(names, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    papers = Papers(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    papers.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    papers.authority.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    papers.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return papers


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(FIRST)
        .not_valid_after(LAST)
    )
