"""Check the accounts for texts and e-mail, send test messages, and list the data for registration and DNS."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

import dj_email_url
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from drives.messaging import message_samples
from drives.messaging.texts.wording import TextTemplate
from drives.settings import rules
from notifications import envelopes, kinds, outbox, senders
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.kinds import MessageKind
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel
from organizations.models import Organization
from volunteers import consent_texts, limits


class CheckFailed(Exception):
    """A check of our account has failed. The argument is the code of the problem."""


@transaction.atomic
def queue_test_text(*, organization: Organization, phone: str, now: datetime) -> None:
    """Text a test message to a phone. Refuses more than ten tests a day (RateLimitExceeded)."""
    content = MessageContent(text=render_test_text(organization))
    _queue_test(organization, kinds.TEST_TEXT, Channel.SMS, phone, content, now)


def render_test_text(organization: Organization) -> str:
    return _("%(name)s: This is a test. Texts from your drives will look like this.") % {"name": organization.sms_name}


@transaction.atomic
def queue_test_mail(*, organization: Organization, email: str, now: datetime) -> None:
    """E-mail a test message to the owner. Refuses more than ten tests a day (RateLimitExceeded)."""
    content = MessageContent(
        text=_("This is a test. E-mails from your drives come from this address."),
        subject=_("Test from %(name)s") % {"name": organization.name},
    )
    _queue_test(organization, kinds.TEST, Channel.EMAIL, email, content, now)


def _queue_test(
    organization: Organization, kind: MessageKind, channel: str, address: str, content: MessageContent, now: datetime
) -> None:
    limits.spend_limit(
        scope=f"test_{channel}",
        subject=str(organization.pk),
        limit=rules.MAX_TESTS_PER_DAY,
        window=rules.TEST_WINDOW,
        now=now,
    )
    built = envelopes.build_envelopes(
        kind,
        Addressee([(channel, address)], language=organization.language),
        key=f"{kind.name}:{organization.pk}/{now.timestamp()}",
        about=f"organization:{organization.pk}",
        due_at=now,
    )
    messages = [RenderedMessage(envelope, content) for envelope in built]
    outbox.queue_messages(organization=organization, messages=messages, now=now)


def check_accounts(*, organization: Organization, now: datetime) -> dict[Channel, str]:
    """Ask the providers of texts and e-mail whether our accounts work. Sends nothing.

    Return the code of the problem for each channel, or "". Refuses more than ten checks an hour (RateLimitExceeded),
    because a check can take half a minute.
    """
    _spend_check(organization, now)
    sender = notifications_queries.find_sender(organization)
    return {
        Channel.SMS: senders.check_channel(Channel.SMS, sender.number if sender else ""),
        Channel.EMAIL: senders.check_channel(Channel.EMAIL),
    }


def set_own_sender(*, organization: Organization, address: Mapping[str, str], actor: str, now: datetime) -> None:
    """Send the organization's texts from its own number or messaging service.

    Asks the provider whether our account has the number. A messaging service cannot be checked. See
    `notifications.senders` for the details. Raises CheckFailed. Refuses more than ten checks an hour
    (RateLimitExceeded).
    """
    if number := address.get("number"):
        _spend_check(organization, now)
        if problem := senders.check_channel(Channel.SMS, number):
            raise CheckFailed(problem)
    senders.set_own_sender(organization=organization, **address, actor=actor, now=now)


@transaction.atomic
def _spend_check(organization: Organization, now: datetime) -> None:
    # This transaction does not include the slow calls to the providers.
    limits.spend_limit(
        scope="check_sending",
        subject=str(organization.pk),
        limit=rules.MAX_CHECKS_PER_HOUR,
        window=rules.CHECK_WINDOW,
        now=now,
    )


@dataclass(frozen=True)
class FormEntry:
    """A question on the provider's registration form, and the answer for the owner to copy."""

    question: str
    answer: str


def list_registration_entries(organization: Organization, now: datetime) -> list[FormEntry]:
    """List the answers for registering a brand and a campaign.

    They are in English, because US carriers read them.
    """
    base, name = settings.BASE_URL, organization.legal_name or organization.name
    with translation.override("en"):
        drive = message_samples.choose_sample_drive(organization, now)
        sample = message_samples.render_sample(drive, "day_before", "en", TextTemplate()).text
        opt_in = consent_texts.render_consent_text("reminders", "en", organization)[1]
    return [
        FormEntry("Legal company name", name),
        FormEntry("Website", organization.website or f"{base}/o/{organization.slug}/"),
        FormEntry("Use case", "Charity (501(c)(3)), or Low Volume Mixed for other organizations"),
        FormEntry(
            "Campaign description",
            f"{name} runs plasma donation drives. Donors who book a time on our website get a confirmation, reminders"
            " and changes to their booking. Donors who checked a second box also get news about upcoming drives.",
        ),
        FormEntry(
            "How do end-users consent to receive messages?",
            f"Donors type their phone number on {base}/o/{organization.slug}/ when they book a time. They check a box"
            f" that starts out unchecked and is not required to book. Its wording: “{opt_in}”",
        ),
        FormEntry("Sample message 1", sample),
        FormEntry(
            "Sample message 2",
            f"482913 is your {organization.sms_name} code. It expires in 10 minutes. Do not share it.",
        ),
        FormEntry("Opt-out keywords", "STOP, STOPALL, UNSUBSCRIBE, END, QUIT, REVOKE, OPTOUT, CANCEL"),
        FormEntry(
            "Help message",
            f"{organization.sms_name}: texts about your plasma drive booking. Help: {organization.email}."
            " Msg & data rates may apply. Reply STOP to end.",
        ),
        FormEntry("Privacy policy", f"{base}/o/{organization.slug}/privacy/"),
        FormEntry("Terms", f"{base}/o/{organization.slug}/terms/"),
    ]


@dataclass(frozen=True)
class DnsRecord:
    purpose: str
    name: str
    value: str


def list_dns_records() -> list[DnsRecord]:
    """List the DNS records with which e-mail from this installation passes SPF, DKIM and DMARC."""
    mailbox = parseaddr(settings.EMAIL_FROM)[1]
    domain = mailbox.rpartition("@")[2]
    is_inbox = settings.EMAIL_URL == "inbox"
    server = "mail.example.org" if is_inbox else str(dj_email_url.parse(settings.EMAIL_URL)["EMAIL_HOST"])
    return [
        DnsRecord("SPF", domain, f"v=spf1 a:{server} ~all"),
        DnsRecord("DKIM", f"mail._domainkey.{domain}", "v=DKIM1; k=rsa; p=…"),
        DnsRecord("DMARC", f"_dmarc.{domain}", f"v=DMARC1; p=quarantine; rua=mailto:{mailbox}"),
    ]


def list_webhooks() -> dict[str, str]:
    webhooks = f"{settings.BASE_URL}/webhooks/twilio"
    return {"inbound": f"{webhooks}/inbound/", "status": f"{webhooks}/status/"}
