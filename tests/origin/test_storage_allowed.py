"""Which addresses may be asked: hosts, prefixes, and every way to write another one."""

import pytest

from origin.errors import SourceUnavailable
from origin.storage.allowed import Places, is_public, parts_of

PLACES = Places(("media.example", "other.example:8080", "https://cdn.example/vod/"))

ALLOWED = (
    "http://media.example/a.mp4",
    "https://media.example/a.mp4?X-Signature=1",
    "https://MEDIA.example:443/a.mp4",
    "http://other.example:8080/a",
    "https://cdn.example/vod/a.mp4",
    "https://cdn.example:443/vod/x/é.mp4",
)
ELSEWHERE = (
    "http://media.example:81/a.mp4",
    "http://other.example/a",
    "http://cdn.example/vod/a.mp4",  # not https
    "https://cdn.example/vodka/a.mp4",
    "https://cdn.example/",
    "https://cdn.example.evil.example/vod/a.mp4",
    "http://media.example.:80/a.mp4",
)
NONE = (
    "https://cdn.example/vod/../secret.mp4",
    "https://cdn.example/vod/%2e%2e/secret.mp4",
    "https://cdn.example/vod/..%2fsecret.mp4",
    "https://cdn.example/vod/x\\..\\..\\secret.mp4",
    "https://cdn.example/vod/%5c..%5c",
    "https://cdn.example/vod/a\n.mp4",
    "http://user:word@media.example/a.mp4",
    "http://media.example@evil.example/a.mp4",
    "http://media.example\\@evil.example/a.mp4",
    "http://media.example:0/a.mp4",
    "http://media.example:99999/a.mp4",
    "http://mediá.example/a.mp4",
    "ftp://media.example/a.mp4",
    "file:///etc/passwd",
    "http:///a.mp4",
    "http://[::1/a.mp4",
)


@pytest.mark.parametrize("address", ALLOWED)
def test_allowed(address: str) -> None:
    assert PLACES.have(parts_of(address))


@pytest.mark.parametrize("address", ELSEWHERE)
def test_elsewhere(address: str) -> None:
    assert not PLACES.have(parts_of(address))


@pytest.mark.parametrize("address", NONE)
def test_no_address(address: str) -> None:
    with pytest.raises(SourceUnavailable) as told:
        parts_of(address)
    assert "word" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)
