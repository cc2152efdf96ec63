"""The OpenAPI document is valid 3.1, complete, and readable as a page."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from config import schema
from drives import urls_api
from tests.builders import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_the_schema_is_valid_openapi_3_1() -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    described = answer.json()
    assert described["openapi"].startswith("3.1")
    validate_schema(described)


def test_making_the_schema_warns_of_nothing() -> None:
    GENERATOR_STATS.reset()
    schema.render_schema.cache_clear()
    schema.render_schema()
    assert not GENERATOR_STATS


def test_every_call_is_described_with_its_problems() -> None:
    paths = json.loads(schema.render_schema())["paths"]
    described = {path.removeprefix("/api/v1/") for path in paths}
    routes = [str(pattern.pattern).replace("<id:pk>", "{id}") for pattern in urls_api.urlpatterns]
    assert described == {re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in routes}
    for methods in paths.values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            for status, said in operation["responses"].items():
                problem = int(status) >= 400
                assert list(said["content"]) == ["application/problem+json" if problem else "application/json"]


def test_the_ids_of_operations_stay() -> None:
    """Integrators generate clients from these ids.

    A changed or removed id would break such a client. A new id would not.
    """
    paths = json.loads(schema.render_schema())["paths"]
    found = {
        f"{operation['operationId']}: {method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert sorted(found) == Path(__file__).with_name("operations.txt").read_text().splitlines()
    assert len({line.partition(":")[0] for line in found}) == len(found)


def test_operations_are_described_for_integrators_not_by_docstrings() -> None:
    """Fail if drf-spectacular took a description from a view, or if two calls have the same text."""
    docstrings = {inspect.getdoc(vars(pattern.callback)["view_class"]) for pattern in urls_api.urlpatterns}
    operations = [row for methods in json.loads(schema.render_schema())["paths"].values() for row in methods.values()]
    assert not docstrings & {operation["description"] for operation in operations}
    for member in ("summary", "description"):
        assert len({operation[member] for operation in operations}) == len(operations)


def list_wrong_examples(document: dict[str, Any]) -> list[str]:
    """List the examples that do not fit the schema of their request or response, or that have an unknown field."""
    operations = [row for methods in document["paths"].values() for row in methods.values()]
    return [
        f"{operation['operationId']}: {example['summary']}"
        for operation in operations
        for described in (operation.get("requestBody", {}), *operation["responses"].values())
        for content in described.get("content", {}).values()
        for example in content.get("examples", {}).values()
        if not fits_schema(document, content["schema"], example["value"])
    ]


def fits_schema(document: dict[str, Any], reference: dict[str, str], value: dict[str, Any]) -> bool:
    types = document["components"]
    members = types["schemas"][reference["$ref"].rpartition("/")[2]]["properties"]
    return Draft202012Validator({**reference, "components": types}).is_valid(value) and value.keys() <= members.keys()


def test_the_main_calls_have_examples_that_fit_their_schema() -> None:
    document = json.loads(schema.render_schema())
    assert list_wrong_examples(document) == []
    operations = {row["operationId"]: row for methods in document["paths"].values() for row in methods.values()}
    for name in ("create_booking", "verify_booking", "move_booking", "join_waitlist", "check_in"):
        [body] = operations[name]["requestBody"]["content"].values()
        assert body["examples"], name


def test_control_an_example_with_an_unknown_member_is_caught() -> None:
    document = json.loads(schema.render_schema())
    body = document["paths"]["/api/v1/bookings/{token}/verify/"]["post"]["requestBody"]["content"]["application/json"]
    next(iter(body["examples"].values()))["value"]["gone"] = "x"
    assert list_wrong_examples(document) == ["verify_booking: The code from the text message"]


def test_no_type_is_described_by_a_base_class() -> None:
    types = json.loads(schema.render_schema())["components"]["schemas"]
    missing = [name for name, row in types.items() if "properties" in row and not row.get("description")]
    assert [name for name in missing if not name.endswith("List")] == []


def test_the_page_shows_every_call_and_loads_nothing_of_others() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    shown = page.content.decode()
    for path, methods in json.loads(schema.render_schema())["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in shown
    assert "<script" not in shown.replace('<script src="/static/site/page.js" defer></script>', "")
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", shown)
    targets = set(re.findall(r'href="#([^"]+)"', shown))
    assert targets <= set(re.findall(r'id="([^"]+)"', shown))
    assert "unsafe-inline" not in page["Content-Security-Policy"]
