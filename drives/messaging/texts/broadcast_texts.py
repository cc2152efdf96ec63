"""Render broadcasts, late notices and coordinators' answers."""

import unicodedata
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from drives.messaging import custom_texts, rules
from drives.messaging.texts import booking_texts, wording
from drives.models import Booking, Broadcast, BroadcastKind
from notifications import message_content
from notifications.message_content import MessageContent
from notifications.models import Channel, Purpose
from organizations.models import Organization

# These values measure a text before its variables are filled in.
LINK_LENGTH, NAME_LENGTH, LONG_DAY = 50, 20, "Wednesday, September 30"
# A broadcast may contain these {variables}.
BROADCAST_VARIABLES = (*wording.TEXTS["booked"].variables, *wording.OPENING_VARIABLES)


def format_plain_text(typed: str) -> str:
    """Return the text on one line.

    If only accents would be lost, the text is converted to GSM-7, so that a segment has room for 160 characters.
    """
    text = wording.clean_text(typed)
    # Compose accents first, because a separate accent would look like a lost character.
    composed = unicodedata.normalize("NFC", text)
    loses_characters = any(
        not message_content.is_gsm(character) and message_content.convert_to_gsm(character) in {"", "?"}
        for character in composed
    )
    return text if loses_characters else message_content.convert_to_gsm(text)


# Answers to one donor --------------------------------------------------------------------------------------------


def render_answer(organization: Organization, typed: str) -> MessageContent:
    plain = format_plain_text(typed)
    text = f"{organization.sms_name}: {plain}"
    if not plain:
        raise ValidationError({"text": ValidationError(_("Write your answer."), code="text_missing")})
    if (count := wording.measure_text(text).segments) > rules.MAX_BROADCAST_SEGMENTS:
        raise ValidationError({"text": _too_long(count)})
    return MessageContent(text)


def _too_long(count: int) -> ValidationError:
    detail = _("This is %(count)s texts long. The limit is %(most)s. Please shorten it.")
    return ValidationError(detail % {"count": count, "most": rules.MAX_BROADCAST_SEGMENTS}, code="too_long")


# Broadcasts ------------------------------------------------------------------------------------------------------


def list_broadcast_problems(typed: str, organization: Organization) -> list[ValidationError]:
    text = wording.clean_text(typed)
    if not text:
        return [ValidationError(_("Write the message."), code="text_missing")]
    problems = [
        ValidationError(problem.detail, code=problem.code)
        for problem in custom_texts.list_opening_problems("booked", text)
    ]
    longest = {
        **wording.build_longest_facts(organization.sms_name, LINK_LENGTH),
        "name": "M" * NAME_LENGTH,
        "long_day": LONG_DAY,
    }
    count = wording.measure_text(
        wording.fill_variables(wording.add_sender_and_stop(format_plain_text(text)), longest)
    ).segments
    return [*problems, _too_long(count)] if count > rules.MAX_BROADCAST_SEGMENTS else problems


def render_broadcast(broadcast: Broadcast, booking: Booking, channel: str) -> MessageContent:
    if broadcast.kind == BroadcastKind.LATE:
        return render_late_notice(booking, channel, broadcast.minutes or 0)
    return render_typed_broadcast(booking, channel, choose_active_text(broadcast.texts), broadcast.purpose)


def render_typed_broadcast(booking: Booking, channel: str, typed: str, purpose: str) -> MessageContent:
    facts = booking_texts.build_facts(booking)
    if channel == Channel.SMS:
        return MessageContent(
            wording.fill_variables(
                wording.add_sender_and_stop(format_plain_text(typed)),
                {name: message_content.convert_to_gsm(fact) for name, fact in facts.items()},
            )
        )
    lines = [
        _("Hello %(name)s,") % facts,
        wording.fill_variables(wording.clean_text(typed), {**facts, "org": facts["org_name"]}),
    ]
    if purpose == Purpose.NEWS:
        subject = _("News from %(org_name)s") % facts
        return booking_texts.build_donor_email(booking, subject, lines, _("See the next dates"))
    return booking_texts.build_donor_email(
        booking, _("About your visit: %(long_day)s, %(time)s") % facts, lines, _("Your booking")
    )


def render_late_notice(booking: Booking, channel: str, minutes: int) -> MessageContent:
    facts = {**booking_texts.build_facts(booking), "minutes": minutes}
    if channel == Channel.SMS:
        text = _(
            "%(org)s: We're running about %(minutes)s min late at %(location)s. We're keeping your %(time)s spot."
            " Sorry for the wait. STOP to end"
        )
        return MessageContent(message_content.convert_to_gsm(text % facts))
    lines = [
        _("Hello %(name)s, we're running about %(minutes)s minutes late today.") % facts,
        _("We're keeping your %(time)s spot, and you can come that much later. We're sorry for the wait.") % facts,
    ]
    subject = _("We're running about %(minutes)s minutes late") % facts
    return booking_texts.build_donor_email(booking, subject, lines, _("Your booking"))


def choose_active_text(typed: Mapping[str, str]) -> str:
    language = get_language() or "en"
    return typed.get(language) or next(iter(typed.values()), "")
