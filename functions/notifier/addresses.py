"""Which IP addresses a callback may go to: those of the public internet, and no others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# IANA's special-purpose registries (RFC 6890 and its updates), written out because `ipaddress.is_global` differs
# between Python's versions and takes multicast for global.
_NOT_PUBLIC_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches the host itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' private network; Alibaba's metadata is 100.100.100.200
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: 169.254.169.254 is the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is 192.0.0.192
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # Azure's platform, at an address that looks public
    )
]
_PUBLIC_6 = IPv6Network("2000::/3")  # global unicast; all else is local, multicast, mapped, NAT64 or unassigned
_NOT_PUBLIC_6 = [
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address is embedded
        "3fff::/20",
    )
]


def is_public(text: str) -> bool:
    """Return whether the address, as a resolver gives it, is one of the public internet.

    An IPv6 address that embeds an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo) never is, whichever it embeds.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    match address:
        case IPv4Address():
            return not any(address in network for network in _NOT_PUBLIC_4)
        case IPv6Address():
            # With a zone (fe80::1%eth0) it is of one link, whatever its number says.
            return (
                address.scope_id is None
                and address in _PUBLIC_6
                and not any(address in network for network in _NOT_PUBLIC_6)
            )
