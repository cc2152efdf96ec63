"""A drive's plan between JSON and the action."""

import re
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from drives.api import answers as api_answers
from drives.api.answers import Answer
from drives.domain.grid import Problem
from drives.domain.plan import Plan, Preview
from drives.models import Drive
from drives.planning import plan as planning_plan
from drives.planning import problems
from drives.planning.drives import VersionChanged

REFERENCES: Final = ("site", "policy", "cause", "collector")
_TAG = re.compile(r'"([0-9]{1,9})"')


class VersionMissing(APIException):
    """A change that does not say which version it changes could overwrite somebody's work."""

    status_code = 428
    default_detail = _("Send If-Match with the ETag of the drive as you read it.")
    default_code = "if_match_missing"


def read(body: dict[str, Any]) -> Plan:
    """The plan a whole body describes."""
    return Plan(**_columns(body))


def changed(drive: Drive, body: dict[str, Any]) -> Plan:
    """The drive's plan with what the body names."""
    return replace(planning_plan.plan_of(drive), **_columns(body))


def _columns(body: dict[str, Any]) -> dict[str, Any]:
    columns = {f"{name}_id" if name in REFERENCES else name: value for name, value in body.items()}
    if "breaks" in columns:
        columns["breaks"] = [(period["starts"], period["ends"]) for period in columns["breaks"]]
    return columns


def etag(drive: Drive) -> str:
    return f'"{drive.version}"'


def version(request: Request) -> int:
    """The version that If-Match names; 428 without one, 412 for one that is not ours."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise VersionMissing
    named = _TAG.fullmatch(header)
    if named is None:
        raise VersionChanged
    return int(named[1])


def answer(drive: Drive) -> Answer:
    """The plan as it would be sent back."""
    plan = planning_plan.plan_of(drive)
    said: Answer = {name: _opaque(getattr(plan, f"{name}_id")) for name in REFERENCES}
    said.update((name, getattr(plan, name)) for name in Plan.__dataclass_fields__ if not name.endswith("_id"))
    said["breaks"] = [{"starts": starts, "ends": ends} for starts, ends in plan.breaks]
    return said


def preview(found: Preview, zone: str) -> Answer:
    """What a plan would make: its problems by field, or its times with their places."""
    return {
        "problems": [_problem(problem) for problem in found.problems],
        "warnings": [_problem(warning) for warning in found.warnings],
        "timezone": zone,
        "times": [{**vars(time), "starts_at": api_answers.at(time.starts_at, zone)} for time in found.times],
        "first_visits": found.first_visits,
        "return_visits": found.return_visits,
    }


def _problem(problem: Problem) -> Answer:
    return {"code": problem.code, "field": problem.field, "detail": problems.in_words(problem)}


def _opaque(pk: int | None) -> str | None:
    return None if pk is None else str(pk)
