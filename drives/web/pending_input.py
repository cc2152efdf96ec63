"""Keep a donor's unverified input in a signed cookie between two pages."""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

KEPT_SECONDS: Final = 15 * 60  # longer than a code is valid


@dataclass(frozen=True)
class PendingInput:
    """A signed cookie that stores a fixed number of strings. A cookie for another purpose is ignored."""

    purpose: str
    count: int

    def save(self, response: HttpResponse, path: str, *texts: str) -> None:
        response.set_cookie(
            self.purpose,
            signing.dumps(texts, salt=self.purpose),
            max_age=KEPT_SECONDS,
            path=path,
            httponly=True,
            samesite="Lax",
            secure=settings.SECURE,
        )

    def read(self, request: HttpRequest) -> list[str] | None:
        """Return the strings, or None if the cookie is missing, forged, malformed or older than 15 minutes.

        The content is checked, too, because an older version of the service may have signed it.
        """
        cookie = request.COOKIES.get(self.purpose, "")
        try:
            texts: Any = signing.loads(cookie, salt=self.purpose, max_age=KEPT_SECONDS)
        except (signing.BadSignature, ValueError):
            return None
        is_valid = isinstance(texts, list) and len(texts) == self.count and all(isinstance(one, str) for one in texts)
        return texts if is_valid else None
