from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from drives.settings import rules
from drives.web import actors
from organizations import queries as organizations_queries
from organizations import sessions
from organizations.models import ApiKey, AuditEntry, Invitation, InvitationState, Membership, Organization

ActorGroup = tuple[Any, list[tuple[str, str]]]  # the group's name, and its choices


@dataclass(frozen=True)
class MemberRow:
    membership: Membership
    second_steps: list[str]  # "totp", "webauthn"
    sessions: list[UserSession]

    @property
    def needs_second_step(self) -> bool:
        return organizations_queries.requires_second_step(self.membership.role)


def list_members(organization: Organization, now: datetime, pk: int | None = None) -> list[MemberRow]:
    """List the members with their second sign-in steps and their sessions. Three queries.

    With `pk`, list only this membership.
    """
    rows = Membership.objects.filter(organization=organization).select_related("user", "organization")
    if pk is not None:
        rows = rows.filter(pk=pk)
    memberships = list(rows.order_by("user__first_name", "user__email")[: rules.MAX_MEMBERS_SHOWN])
    ids = [one.user_id for one in memberships]
    steps: dict[int, list[str]] = defaultdict(list)
    authenticators = Authenticator.objects.filter(user__in=ids).exclude(type=Authenticator.Type.RECOVERY_CODES)
    for user_id, kind in authenticators.values_list("user_id", "type").order_by("type"):
        steps[user_id].append(kind)
    open_sessions: dict[int, list[UserSession]] = defaultdict(list)
    for session in sessions.list_sessions(ids, now):
        open_sessions[session.user_id].append(session)
    return [MemberRow(one, steps[one.user_id], open_sessions[one.user_id]) for one in memberships]


def list_open_invitations(organization: Organization) -> list[Invitation]:
    rows = Invitation.objects.filter(organization=organization, state=InvitationState.OPEN)
    return list(rows.order_by("-created_at", "-pk")[: rules.MAX_MEMBERS_SHOWN])


@dataclass(frozen=True)
class KeyRow:
    key: ApiKey
    last_day: date | None  # in the organization's zone


def list_keys(organization: Organization, zone: str) -> list[KeyRow]:
    """List the API keys, first the active ones and then the last revoked. One query."""
    return [KeyRow(key, _compute_last_day(key.expires_at, ZoneInfo(zone))) for key in _load_keys(organization)]


def _load_keys(organization: Organization) -> list[ApiKey]:
    rows = ApiKey.objects.filter(organization=organization)
    return list(rows.order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")[: rules.MAX_KEYS_SHOWN])


def _compute_last_day(expires_at: datetime | None, zone: ZoneInfo) -> date | None:
    return (expires_at - timedelta.resolution).astimezone(zone).date() if expires_at else None


@dataclass(frozen=True)
class AuditRow:
    entry: AuditEntry
    actor: str
    verb: Any


@dataclass(frozen=True)
class AuditPage:
    rows: list[AuditRow]
    next_id: int | None  # id of the last entry on the page, or None if there are no older ones


@dataclass(frozen=True)
class AuditFilter:
    """Conditions on audit entries. `since` and `until` are dates in `zone`, both included."""

    zone: str
    actor: str = ""
    verb: str = ""
    since: date | None = None
    until: date | None = None


def load_audit_page(organization: Organization, conditions: AuditFilter, below: int | None = None) -> AuditPage:
    """Load a page of the audit log, newest first. At most four queries.

    `below` is the last id on the previous page.
    """
    rows = _filter_entries(organization, conditions)
    if below and (last := AuditEntry.objects.filter(organization=organization, pk=below).first()):
        rows = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    found = list(rows.order_by("-at", "-pk")[: rules.AUDIT_ROWS_PER_PAGE + 1])
    shown = found[: rules.AUDIT_ROWS_PER_PAGE]
    return AuditPage(_describe_entries(shown, organization), shown[-1].pk if len(found) > len(shown) else None)


def iterate_audit_rows(organization: Organization, conditions: AuditFilter) -> Iterator[AuditRow]:
    """Yield all matching entries, newest first. Four queries."""
    rows = _filter_entries(organization, conditions)
    names = actors.describe_actors(set(rows.values_list("actor", flat=True).distinct()), organization.pk)
    for entry in rows.order_by("-at", "-pk").iterator():
        yield _describe_entry(entry, names)


def _filter_entries(organization: Organization, conditions: AuditFilter) -> QuerySet[AuditEntry]:
    rows, zone = AuditEntry.objects.filter(organization=organization), ZoneInfo(conditions.zone)
    if conditions.actor:
        rows = rows.filter(actor=conditions.actor)
    if conditions.verb:
        rows = rows.filter(verb=conditions.verb)
    if conditions.since:
        rows = rows.filter(at__gte=datetime.combine(conditions.since, time(), zone))
    if conditions.until and conditions.until < date.max:
        rows = rows.filter(at__lt=datetime.combine(conditions.until + timedelta(days=1), time(), zone))
    return rows


def list_changes(organization: Organization, about: str, count: int) -> list[AuditRow]:
    """List the newest audit entries about one record. At most two queries."""
    rows = AuditEntry.objects.filter(organization=organization, about=about).order_by("-at", "-pk")[:count]
    return _describe_entries(list(rows), organization)


def _describe_entries(entries: list[AuditEntry], organization: Organization) -> list[AuditRow]:
    names = actors.describe_actors({entry.actor for entry in entries}, organization.pk)
    return [_describe_entry(one, names) for one in entries]


def _describe_entry(entry: AuditEntry, names: dict[str, str]) -> AuditRow:
    return AuditRow(entry, names.get(entry.actor, entry.actor), VERBS.get(entry.verb, entry.verb))


def list_audit_actors(organization: Organization) -> list[ActorGroup]:
    """List the choices of the actor filter: the members, and the API keys with the revoked ones. Two queries."""
    members = Membership.objects.filter(organization=organization).select_related("user").order_by("user__email")
    users = [one.user for one in members[: rules.MAX_MEMBERS_SHOWN]]
    groups = [
        (_("Members"), [(f"user:{user.pk}", user.get_full_name() or user.email) for user in users]),
        (_("API keys"), [(f"key:{key.pk}", _format_key(key)) for key in _load_keys(organization)]),
    ]
    return [(name, choices) for name, choices in groups if choices]


def _format_key(key: ApiKey) -> str:
    facts = {"name": key.name, "start": f"pd_{key.prefix}…"}
    # Several keys may have one name, for example after a key was replaced.
    return (_("%(name)s (%(start)s, revoked)") if key.revoked_at else _("%(name)s (%(start)s)")) % facts


VERBS: dict[str, Any] = {
    "created": _("Added"),
    "changed": _("Changed"),
    "added": _("Added a member"),
    "deleted": _("Deleted"),
    "removed": _("Removed a member"),
    "invited": _("Invited a member"),
    "invited_founder": _("Invited another organization"),
    "invited_again": _("Sent an invitation again"),
    "withdrew_invitation": _("Withdrew an invitation"),
    "ended_sessions": _("Ended sessions"),
    "issued": _("Created an API key"),
    "revoked": _("Revoked an API key"),
    "create_drive": _("Planned a drive"),
    "change_drive": _("Changed a drive"),
    "published": _("Published a drive"),
    "closed": _("Closed a drive"),
    "cancel_drive": _("Cancelled a drive"),
    "complete_drive": _("Completed a drive"),
    "checklist.checked_off": _("Checked off a task for a drive"),
    "checklist.reopened": _("Reopened a task for a drive"),
    "checklist.task_added": _("Added a task to a drive"),
    "checklist.task_removed": _("Removed a task from a drive"),
    "change_checklist": _("Changed the checklist for all drives"),
    "change_message_schedule": _("Changed the message schedule"),
    "reset_message_schedule": _("Removed a drive’s own message schedule"),
    "change_sending": _("Changed sending hours, price or daily limits"),
    "change_custom_text": _("Changed a message text"),
    "broadcast.sent": _("Sent a group message"),
    "broadcast.stopped": _("Stopped a group message"),
    "close_waitlist": _("Closed a waiting list"),
    "waitlist.enter": _("Added a person to a waiting list"),
    "waitlist.remove": _("Removed a person from a waiting list"),
    "waitlist.decline": _("Passed on a spot for a person"),
    "call.reached": _("Recorded a call"),
    "call.taken_back": _("Removed the record of a call"),
    "opt_out.confirmed": _("Confirmed an opt-out"),
    "opt_out.dismissed": _("Decided that a text was not an opt-out"),
    "opt_out.undone_misread": _("Undid an opt-out (the text did not ask to stop)"),
    "opt_out.undone_asked": _("Undid an opt-out (the donor asked for it)"),
    "opt_out.undone_other_person": _("Undid an opt-out (someone else sent the text)"),
    "mailbox.tried_again": _("Retried an e-mail address that had rejected our e-mails"),
    "sweep.tried_again": _("Asked the service to retry a failed task"),
    "mended_counters": _("Corrected the slot counts of a drive"),
    "restored": _("Accepted a restored copy of the database"),
    "moved_database": _("Confirmed a move of the database"),
    "second_step.reset": _("Reset a member’s two-step sign-in"),
    "consent.withdrawn": _("Recorded an opt-out"),
    "reply.answered": _("Answered a text"),
    "entered": _("Added a person"),
    "uploaded_file": _("Chose a file to import"),
    "started_import": _("Started an import"),
    "imported": _("Finished an import"),
    "exported": _("Downloaded personal data"),
    "report.exported": _("Downloaded a report"),
    "audit_log.exported": _("Downloaded the audit log"),
    "erased": _("Erased a person’s data"),
    "merged": _("Merged two records of a person"),
    "renamed": _("Corrected a name"),
    "admin.listed": _("An administrator opened a list of records"),
    "admin.viewed": _("An administrator opened a record"),
    "links_revoked": _("Revoked all links in messages"),
}
