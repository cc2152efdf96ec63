"""Tell whether another website sent a form. For public forms without a CSRF token."""

from django.http import HttpRequest


def is_from_another_website(request: HttpRequest) -> bool:
    # Old browsers send only Origin, and programs neither.
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()
