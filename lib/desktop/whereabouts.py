"""Where somebody is: their address, also behind the site's proxies, and the network around it."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from desktop.errors import Refusal

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


def client(nearest: str, forwarded: str, proxies: Collection[str]) -> str:
    """Return the address of the client: the nearest one that is no proxy of the site.

    Each proxy appends whom it heard to X-Forwarded-For; what stands before is anybody's word.
    `proxies` are addresses and networks; Refusal (500) is raised for what is neither.
    """
    if not proxies:
        return nearest
    heard = forwarded[-1024:].split(",")
    for word in (nearest, *reversed(heard)):
        address = parse(word.strip().strip("[]"))
        if not address:
            break
        nearest = str(address)
        if not among(nearest, proxies, "trusted_proxies"):
            break
    return nearest


def among(address: str, networks: Collection[str], setting: str) -> bool:
    """Tell whether an address is one of those that a setting names, or in a network of them.

    Raises Refusal (500) for a setting that names something else.
    """
    from ipaddress import ip_network
    try:
        known = [ip_network(one, strict=False) for one in networks]
    except ValueError as error:
        raise Refusal(f"{setting}: {error}.", 500) from error
    found = parse(address)
    return bool(found) and any(found in network for network in known)


def network(source: str) -> str:
    """Return the address, or of IPv6 the /64 network: each customer has at least one."""
    address = parse(source.partition("%")[0])
    if not address:
        return source
    return str(address) if address.version == 4 else f"{int(address) >> 64:x}/64"


def parse(text: str) -> "IPv4Address | IPv6Address | None":
    """Return the address that a text is, of IPv4 also where IPv6 wraps it; None for any other."""
    from ipaddress import ip_address  # 4 ms, where addresses are compared only
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
