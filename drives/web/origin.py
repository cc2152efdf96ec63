"""Detect forms from other websites, for public forms without a CSRF token."""

from django.http import HttpRequest


def is_from_another_website(request: HttpRequest) -> bool:
    # Old browsers send only Origin. Programs without a browser send neither header, and are accepted.
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()
