"""Which addresses a callback may go to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addresses import is_public


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """Ordinary addresses of both kinds."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - an address that is looked at, not one to listen on
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",  # metadata of AWS, Azure, Google and others
        "169.254.170.2",  # credentials of containers on AWS
        "169.254.1.1",
        "100.64.0.1",
        "100.100.100.200",  # metadata of Alibaba
        "192.0.0.192",  # metadata of Oracle
        "168.63.129.16",  # Azure's platform
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700:4700::1111%eth0",
        "fc00::1",
        "fd00:ec2::254",  # metadata of AWS
        "fd00:ec2::23",
        "fd20:ce::254",  # metadata of Google
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.215.14",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:0808:0808::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "localhost",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "",
    ],
)
def test_no_other_address_is(address: str) -> None:
    """Loopback, private, link-local, multicast, reserved, embedding and metadata addresses, and what is none."""
    assert not is_public(address)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_public_is_global_to_python_too(address: IPv4Address | IPv6Address) -> None:
    """Python's own table has no address private that is public here."""
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_never_public(address: IPv4Address) -> None:
    """IPv6 addresses that lead to an IPv4 one are refused, whichever it is."""
    number = int(address)
    embedding = (
        number,  # compatible
        0xFFFF << 32 | number,  # mapped
        0x64FF9B << 96 | number,  # NAT64
        0x2002 << 112 | number << 80,  # 6to4
        0x20010000 << 96 | number ^ 0xFFFFFFFF,  # Teredo
    )
    assert [str(IPv6Address(whole)) for whole in embedding if is_public(str(ip_address(IPv6Address(whole))))] == []
