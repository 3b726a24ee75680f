import ssl

import pytest

from solution import intranet_context

AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUBVDazPNPA+v7qNmLthAIUqo8QG4wCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwURXhhbXBsZSBDb21wYW55IFJvb3QwIBcNMjYxMTIxMDk1OTA1
WhgPMjEyNjEwMjgwOTU5MDVaMB8xHTAbBgNVBAMMFEV4YW1wbGUgQ29tcGFueSBS
b290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXK0CuA7CtUiIDWAcmqNYhPlp
gBqKARd/Gt2vIeTVlDsxYrylQS3TGtWc5X4B8cXiS/umYCF0Tu5H69gxShK+raNT
MFEwHQYDVR0OBBYEFCwP4W9SY7wzgENzICyN98s73nTwMB8GA1UdIwQYMBaAFCwP
4W9SY7wzgENzICyN98s73nTwMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID
SAAwRQIgLpXBWjTYZHgCaDezkSAK1BfAVR3AZWepB3xyTdMy0F0CIQCuqNjiNNPn
hOagY71usuOpzFygkkzuy8/bbXtoe2T4ew==
-----END CERTIFICATE-----
"""


@pytest.fixture
def context(tmp_path):
    path = tmp_path / "authority.pem"
    path.write_text(AUTHORITY)
    return intranet_context(str(path))


@pytest.mark.functionality
def test_is_a_context_for_clients(context):
    assert isinstance(context, ssl.SSLContext)
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="wiki.intranet.example")


@pytest.mark.functionality
def test_knows_the_authority(context):
    names = [dict(pair[0] for pair in authority["subject"]) for authority in context.get_ca_certs()]
    assert {"commonName": "Example Company Root"} in names


@pytest.mark.security
def test_a_certificate_is_required(context):
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.security
def test_the_host_name_is_checked(context):
    assert context.check_hostname is True
