"""Whether there was TLS before a proxy. Anybody could say so: the site's proxies are believed."""

from collections.abc import Collection, Mapping

from desktop import whereabouts


def scheme(environ: Mapping[str, str], proxies: Collection[str]) -> str:
    """Return https when the request came through TLS, Apache's or that of a proxy of the site."""
    secure = environ.get("HTTPS", "").lower() in ("on", "1")
    if secure or environ.get("REQUEST_SCHEME") == "https":
        return "https"
    known = proxies and claimed(environ) and whereabouts.among(
        environ.get("REMOTE_ADDR", ""), proxies, "trusted_proxies")
    return "https" if known else "http"


def doubted(environ: Mapping[str, str], proxies: Collection[str]) -> str:
    """Return the address of who passed this on, if there may have been TLS before, or nothing."""
    silent = "HTTP_X_FORWARDED_FOR" in environ and "HTTP_X_FORWARDED_PROTO" not in environ
    doubt = (claimed(environ) or silent) and scheme(environ, proxies) == "http"
    return environ.get("REMOTE_ADDR", "") if doubt else ""


def claimed(environ: Mapping[str, str]) -> bool:
    """Tell whether a header says that the browser spoke TLS; the first proxy's word is first."""
    first = environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0]
    return first.strip().lower() == "https"
