"""Where somebody is: their address, also behind the site's proxies, and the network around it."""

from collections.abc import Collection

from desktop.errors import Refusal


def client(nearest: str, forwarded: str, proxies: Collection[str]) -> str:
    """Return the address of the client: the nearest one that is no proxy of the site.

    Each proxy appends whom it heard to X-Forwarded-For; what stands before is anybody's word.
    `proxies` are addresses and networks; Refusal (500) is raised for what is neither.
    """
    if not proxies:
        return nearest
    from ipaddress import ip_address  # 4 ms, behind proxies only
    heard = forwarded[-1024:].split(",")
    for word in (nearest, *reversed(heard)):
        try:
            address = ip_address(word.strip().strip("[]"))
        except ValueError:
            break
        nearest = str(getattr(address, "ipv4_mapped", None) or address)
        if not among(nearest, proxies, "trusted_proxies"):
            break
    return nearest


def among(address: str, networks: Collection[str], setting: str) -> bool:
    """Tell whether an address is one of those that a setting names, or in a network of them.

    Raises Refusal (500) for a setting that names something else.
    """
    from ipaddress import ip_address, ip_network
    try:
        known = [ip_network(one, strict=False) for one in networks]
    except ValueError as error:
        raise Refusal(f"{setting}: {error}.", 500) from error
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in known)


def network(source: str) -> str:
    """Return the address, or of IPv6 the /64 network: each customer has at least one."""
    from ipaddress import IPv6Address, ip_address  # 4 ms, where tries are counted only
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{int(address) >> 64:x}/64"
    return str(address)
