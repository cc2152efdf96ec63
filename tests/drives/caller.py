"""Call the API as a program would, and check every response against the schema."""

import json
import re
import uuid
from functools import cache
from typing import Any, Self

from django.test import Client
from jsonschema import Draft202012Validator

from config import schema
from organizations import api_keys
from organizations.models import Organization, Role
from tests.builders import NOW

PREFIX = "/api/v1/"


class Api:
    """An API client, with or without a key: `post("bookings/", {...})`.

    A response that breaks the schema fails the test.
    """

    def __init__(self, client: Client | None = None, **headers: str) -> None:
        self.client, self.headers = client or Client(), headers

    @classmethod
    def with_key(cls, of: Organization, role: str = Role.COORDINATOR) -> Self:
        _key, token = api_keys.issue_api_key(organization=of, name="tests", role=role, now=NOW)
        return cls(Authorization=f"Bearer {token}")

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request to the API. A bytes body is sent unchanged, any other body as JSON."""
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        path = path.removeprefix("http://testserver").removeprefix(PREFIX)
        answer = self.client.generic(
            method, PREFIX + path, sent, "application/json", headers={**self.headers, **headers}
        )
        problem = answer["Content-Type"] == "application/problem+json"
        assert problem == (answer.status_code >= 400), (answer.status_code, answer["Content-Type"])
        hold_to_schema(method, PREFIX + path.partition("?")[0], answer)
        return answer

    def book(self, **changes: Any) -> Any:
        """Post a booking. `key` is the Idempotency-Key, `slot` the slot's id."""
        key = changes.pop("key", None) or str(uuid.uuid4())
        body = {"visit": "return", "name": "Test Ana Alder", "phone": "+12015550142", **changes}
        return self.post("bookings/", body, **{"Idempotency-Key": key})


def hold_to_schema(method: str, path: str, answer: Any) -> None:
    """Fail if the response has a status, a content type or a field that is not in the schema."""
    described = operation(method, path)
    if described is None:
        assert answer.status_code in {404, 405}, (method, path, answer.status_code)
        return
    said = described["responses"].get(str(answer.status_code))
    assert said is not None, f"{method} {path}: {answer.status_code} is not in the schema: {answer.content!r}"
    content = said["content"].get(answer["Content-Type"])
    assert content is not None, f"{method} {path}: {answer['Content-Type']} is not in the schema"
    whole = {**content["schema"], "components": loaded()["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(answer.json())


@cache
def loaded() -> Any:
    """Load the API's schema, and make it refuse unknown fields."""
    strict = json.loads(schema.render_schema())
    for component in strict["components"]["schemas"].values():
        if "properties" in component:
            component["additionalProperties"] = False
    return strict


def operation(method: str, path: str) -> Any:
    for template, methods in sorted(loaded()["paths"].items(), key=lambda row: row[0].count("{")):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in methods:
            return methods[method.lower()]
    return None
