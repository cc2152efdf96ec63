"""What somebody typed and has still to prove, between two pages: a signed cookie of the browser that asked."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

KEPT_FOR: Final = 15 * 60  # seconds: longer than a code is good


@dataclass(frozen=True)
class Pending:
    """A cookie for one purpose; a cookie of another one says nothing here."""

    purpose: str

    def keep(self, response: HttpResponse, path: str, *said: str) -> None:
        """Give the browser what it said, for the addresses under `path`."""
        response.set_cookie(
            self.purpose,
            signing.dumps(said, salt=self.purpose),
            max_age=KEPT_FOR,
            path=path,
            httponly=True,
            samesite="Lax",
            secure=settings.SECURE,
        )

    def said(self, request: HttpRequest) -> list[str] | None:
        """What this browser said in the last quarter of an hour."""
        try:
            said: list[str] = signing.loads(request.COOKIES.get(self.purpose, ""), salt=self.purpose, max_age=KEPT_FOR)
        except signing.BadSignature:
            return None
        return said
