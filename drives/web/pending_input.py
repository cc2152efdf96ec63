"""What a donor typed and has yet to verify, between two pages: a signed cookie of the browser that asked."""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

KEPT_SECONDS: Final = 15 * 60  # longer than a code is good


@dataclass(frozen=True)
class PendingInput:
    """A cookie for one purpose, with a fixed number of texts; a cookie of another purpose says nothing here."""

    purpose: str
    count: int

    def keep(self, response: HttpResponse, path: str, *texts: str) -> None:
        """Give the browser the texts, for the addresses under `path`."""
        response.set_cookie(
            self.purpose,
            signing.dumps(texts, salt=self.purpose),
            max_age=KEPT_SECONDS,
            path=path,
            httponly=True,
            samesite="Lax",
            secure=settings.SECURE,
        )

    def texts(self, request: HttpRequest) -> list[str] | None:
        """Read the texts of the last quarter of an hour; None for a cookie that is missing, forged or malformed.

        The signature says that the service wrote the cookie, not that this version of it did.
        """
        cookie = request.COOKIES.get(self.purpose, "")
        try:
            found: Any = signing.loads(cookie, salt=self.purpose, max_age=KEPT_SECONDS)
        except (signing.BadSignature, ValueError):
            return None
        is_whole = isinstance(found, list) and len(found) == self.count and all(isinstance(one, str) for one in found)
        return found if is_whole else None
