"""The cookie with the code of the recruiter's link that a visitor followed. It does not identify the visitor."""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

SHARE_COOKIE: Final = "via"
COOKIE_AGE_SECONDS: Final = 7 * 24 * 60 * 60
_CODE_PATTERN = re.compile(r"[a-z0-9]{1,8}")


def set_share_cookie(response: HttpResponse, drive_slug: str, code: str) -> None:
    path = reverse("drive", args=[drive_slug])
    response.set_cookie(
        SHARE_COOKIE,
        code,
        max_age=COOKIE_AGE_SECONDS,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=settings.SECURE,
    )


def read_share_code(request: HttpRequest) -> str:
    code = request.COOKIES.get(SHARE_COOKIE, "")
    return code if _CODE_PATTERN.fullmatch(code) else ""
