"""Whether a request comes from a page of ours, decided from the headers a browser cannot forge."""

from urllib.parse import urlsplit

from desktop.settings import Settings


def problem(settings: Settings, origin: str | None, host: str, cookie: bool) -> str:
    """Return why a POST or websocket is refused, or nothing when it may pass.

    A foreign page cannot choose its Origin header; programs that are no browser send none, which
    passes only without a cookie. (Fetch standard, "Origin header"; CVE-2015-0259.)
    """
    if origin is None:
        return "It says who sends it, but has no Origin header." if cookie else ""
    if origin == "null":
        return "Its Origin header is null."
    try:
        sender = urlsplit(origin).netloc.lower()
    except ValueError:
        sender = ""
    if sender and sender in known(settings, host):
        return ""
    return (f"It comes from a page of {sender or origin!r}, not of {host!r}; if that is this "
            f"server too, its administrator sets {remedy(settings, origin, sender)}.")


def remedy(settings: Settings, origin: str, sender: str) -> str:
    """Return the setting, with its value, that makes an origin one of ours."""
    if not settings.server_name:
        return f"server_name = {origin}"
    return f"server_aliases = {', '.join((*settings.server_aliases, sender))}"


def known(settings: Settings, host: str) -> set[str]:
    """Return the hosts, each with its port if any, that our own pages come from."""
    return {host.lower(), urlsplit(settings.server_name).netloc.lower(),
            *(alias.lower() for alias in settings.server_aliases)} - {""}
