"""Detect a form that another website has sent. For public forms, which have no CSRF token."""

from django.http import HttpRequest


def is_from_another_website(request: HttpRequest) -> bool:
    # Old browsers send only Origin. Programs send neither header.
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()
