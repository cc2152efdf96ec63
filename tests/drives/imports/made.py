"""Files, and the steps in which a coordinator imports them."""

from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from drives.imports import run, uploads
from drives.imports.uploads import ConsentProof
from drives.models import Import
from organizations.models import Organization
from tests import builders
from tests.builders import NOW

UPLOAD, LIST = "/organizer/imports/people/", "/organizer/imports/"
HEADER = "Name,Phone,E-mail,Language,Agreed to reminders,Agreed to news,Date they agreed"
PROOF = ConsentProof("Yes, text me about my visits.", "Paper form, Test Hall", (NOW - timedelta(days=300)).date())
TYPED_PROOF = {
    "consent_wording": PROOF.wording,
    "consent_source": PROOF.source,
    "consented_on_all": f"{PROOF.day:%Y-%m-%d}",
}


def file_of(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def people_file(count: int, *, first: int = 1, consent: str = "yes") -> bytes:
    rows = (
        f"Test Person {n},{builders.phone(n)},p{n}@example.org,en,{consent},no," for n in range(first, first + count)
    )
    return file_of(*rows)


def upload(owner: Organization, content: bytes, now: datetime = NOW) -> Import:
    return uploads.upload_file(organization=owner, content=content, file_name="people.csv", actor="user:0", now=now)


def checked(owner: Organization, content: bytes, now: datetime = NOW, proof: ConsentProof = PROOF) -> Import:
    """Upload a file, accept the proposed columns, and check it."""
    made = upload(owner, content, now)
    uploads.match_columns(import_id=made.pk, matched=made.columns, proof=proof, now=now)
    work(now)
    return fresh(made)


def finished(owner: Organization, content: bytes, now: datetime = NOW) -> Import:
    """Import a file, without the rows that have errors."""
    made = checked(owner, content, now)
    uploads.start_import(import_id=made.pk, left_out_count=made.error_count, actor="user:0", now=now)
    work(now)
    return fresh(made)


def work(now: datetime = NOW) -> int:
    return run.run_imports(now=now, seconds=60)


def fresh(made: Import) -> Import:
    return Import.objects.select_related("organization").get(pk=made.pk)


def send(client: Client, content: bytes, name: str = "people.csv") -> Any:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content, content_type="text/csv")})


def list_codes(made: Import) -> list[tuple[int, str, str]]:
    """Return the problems as (row, field, code)."""
    rows = made.rows.order_by("number")
    return [(row.number, problem["field"], problem["code"]) for row in rows for problem in row.problems]
