"""The Content-Security-Policy header: the same for nearly every answer, so it is put together once."""

from functools import cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ContentPolicyMiddleware(CSPMiddleware):
    """Django-csp's, which is asked only about answers that differ (`csp_replace` and the like). There are no nonces."""

    def process_request(self, request: HttpRequest) -> None:
        """Nothing: no page has inline scripts or styles that a nonce would allow."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if HEADER in response or any(name.startswith("_csp") for name in vars(response)):
            return super().process_response(request, response)
        response[HEADER] = _standard()
        return response


@cache
def _standard() -> str:
    return str(build_policy())
