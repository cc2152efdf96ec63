"""The service sends only codes to a mailbox that permanently refuses mail.

It sends other mail again once the mailbox accepts an e-mail, or once a coordinator asks for another try.
"""

import pytest

from drives.privacy import erase
from drives.privacy.erase import ErasureReason
from notifications import kinds, mailboxes, queries, rules
from notifications.error_codes import ErrorKind
from notifications.mailboxes import MailboxEvent, MailResult
from notifications.models import Channel, MailboxRefusals, Message
from notifications.providers.base import ProviderError
from notifications.providers.inbox import InboxProvider
from organizations.models import AuditEntry, Organization
from tests import builders
from tests.builders import NOW
from tests.notifications import made

pytestmark = pytest.mark.django_db
MAIL = "ana@example.org"


def refuse(of: Organization, times: int, address: str = MAIL) -> None:
    for _time in range(times):
        mailboxes.record_mail_results(mail_results=[MailResult(of.pk, address, "550")], now=NOW)


def accept(of: Organization, address: str = MAIL) -> None:
    mailboxes.record_mail_results(mail_results=[MailResult(of.pk, address)], now=NOW)


def mailed(of: Organization, key: str, kind: str = kinds.MOVED.name) -> tuple[str, str]:
    message = made.queued(of, key, kind=kind, channel=Channel.EMAIL, address=MAIL, subject="See you")
    made.deliver()
    message.refresh_from_db()
    return message.state, message.reason


@pytest.mark.parametrize(
    ("before", "event", "after", "blocks"),
    [
        (0, MailboxEvent.REFUSED, 1, False),
        (1, MailboxEvent.REFUSED, 2, False),
        (2, MailboxEvent.REFUSED, 3, True),
        (3, MailboxEvent.REFUSED, 4, True),
        (1, MailboxEvent.ACCEPTED, 0, False),
        (4, MailboxEvent.ACCEPTED, 0, False),
        (1, MailboxEvent.TRIED_AGAIN, 1, False),
        (3, MailboxEvent.TRIED_AGAIN, 2, False),
        (9, MailboxEvent.TRIED_AGAIN, 2, False),
    ],
)
def test_each_event_sets_the_count(before: int, event: MailboxEvent, after: int, *, blocks: bool) -> None:
    assert mailboxes.NEXT_COUNT[event](before) == after
    assert mailboxes.is_refusing(after) is blocks


def test_every_event_has_its_row_in_the_table() -> None:
    assert set(mailboxes.NEXT_COUNT) == set(MailboxEvent)


@pytest.mark.parametrize(
    ("times", "fate"),
    [(rules.MAX_REFUSALS - 1, ("delivered", "")), (rules.MAX_REFUSALS, ("blocked", "mailbox_refuses"))],
)
def test_the_third_refusal_blocks_mail(times: int, fate: tuple[str, str]) -> None:
    hope = builders.organization()
    refuse(hope, times)
    assert mailed(hope, "a") == fate
    found = queries.list_refusing_mailboxes(hope, [MAIL, made.ANA])
    assert found == ({MAIL} if times == rules.MAX_REFUSALS else set())


def test_a_code_still_leaves_and_its_success_clears_the_count() -> None:
    hope = builders.organization()
    refuse(hope, 5)
    assert mailed(hope, "code", kinds.CODE.name) == ("delivered", "")
    assert not MailboxRefusals.objects.exists()
    assert mailed(hope, "a") == ("delivered", "")


def test_another_organization_counts_for_itself() -> None:
    hope, other = builders.organization("Hope"), builders.organization("Other")
    refuse(hope, rules.MAX_REFUSALS)
    assert queries.find_mailbox_refusals(hope, MAIL)
    assert queries.find_mailbox_refusals(other, MAIL) is None
    assert mailed(other, "a") == ("delivered", "")


def test_tried_again_it_gets_what_was_blocked_and_the_next_refusal_blocks() -> None:
    hope = builders.organization()
    refuse(hope, rules.MAX_REFUSALS)
    assert mailed(hope, "a") == ("blocked", "mailbox_refuses")
    again = mailboxes.try_mailbox_again(
        organization=hope, address=MAIL, about="volunteer:1", actor="user:1", now=made.NOON
    )
    assert (again, Message.objects.get().state) == (1, "queued")
    assert AuditEntry.objects.filter(verb="mailbox.tried_again", organization=hope).exists()
    refuse(hope, 1)
    assert queries.find_mailbox_refusals(hope, MAIL)


@pytest.mark.parametrize(("reason", "count"), [("address_refused", 1), ("refused", 0), ("unreachable", 0)])
def test_only_a_refusal_of_the_mailbox_counts(monkeypatch: pytest.MonkeyPatch, reason: str, count: int) -> None:
    hope = builders.organization()

    kind = ErrorKind.TRANSIENT if reason == "unreachable" else ErrorKind.PERMANENT

    def refuse_mail(*_args: object) -> None:
        raise ProviderError(kind, reason, "550")

    monkeypatch.setattr(InboxProvider, "send", refuse_mail)
    mailed(hope, "a")
    assert sum(MailboxRefusals.objects.values_list("count", flat=True)) == count


def test_an_erasure_forgets_the_mailbox() -> None:
    booking = builders.booked(builders.drive(), email=MAIL)
    organization = booking.drive.organization
    refuse(organization, 3)
    assert booking.volunteer_id
    erase.erase_volunteer(volunteer_id=booking.volunteer_id, reason=ErasureReason.ASKED, actor="test", now=NOW)
    assert not MailboxRefusals.objects.exists()
