"""Queue texts that answer a donor's C or X: "Which visit?", or the reason why the command is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils import translation
from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.domain.reply_parser import ReplyCommand
from drives.inbox import questions
from drives.inbox.questions import Question
from notifications import envelopes, kinds, message_content, outbox
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel, InboundMessage
from organizations.models import Organization

MOST_CHOICES = 4  # in one text, because the message's `about` has no room for more ids and revisions
LONGEST_NAME, SHORTEST_NAME = 12, 3
_PREFIX = "which:"
_LETTERS = {ReplyCommand.CONFIRM: "C", ReplyCommand.CANCEL: "X"}
_SHORT_NAMES = {"booking": "", "offer": "o"}  # prefixes of the subjects' ids in `about`


@dataclass(frozen=True)
class AskedQuestions:
    """The latest "Which visit?" question to a number.

    `command` is the donor's C or X, and `reply_id` is the donor's text with it. `numbered` maps the numbers in our text
    to bookings and offers. `revisions` are the bookings' revisions at the time of our text.
    """

    command: ReplyCommand
    reply_id: int
    numbered: dict[int, Question]
    revisions: dict[str, int]
    is_newest_text: bool

    def has_moved(self, chosen: Sequence[Question]) -> bool:
        return any(one.has_moved_since(self.revisions[one.about]) for one in chosen)


def ask_which(reply: InboundMessage, command: ReplyCommand, asked: Sequence[Question], now: datetime) -> bool:
    """Text the donor a numbered list of visits, and ask which visit is meant.

    Organizations that share a sender each send a text with only their own visits. The numbers continue from one text to
    the next. If an organization's visits do not fit into one text, send nothing and return False.
    """
    by_organization = sorted(asked, key=lambda one: one.drive.organization_id)
    texts, start = [], 1
    for _pk, group in groupby(by_organization, key=lambda one: one.drive.organization_id):
        own = list(group)
        text = _word_shortest(command, own, start)
        if not text:
            return False
        texts.append((own, text, start))
        start += len(own)
    for own, text, first_number in texts:
        items = ",".join(f"{_shorten(one.about)}.{one.revision}" for one in own)
        about = f"{_PREFIX}{_LETTERS[command]}{first_number}:{items}"
        _queue_answer(reply, own[0].drive.organization, own[0].language, about, text, now)
    return True


def explain_refusal(
    reply: InboundMessage, organization: Organization, language: str, about: str, detail: str, now: datetime
) -> None:
    _queue_answer(reply, organization, language, about, f"{organization.sms_name}: {detail}", now)


def load_asked_questions(reply: InboundMessage) -> AskedQuestions | None:
    question = notifications_queries.find_newest_text_of_kind(reply, kinds.REPLY_ANSWER.name, _PREFIX)
    if question is None:
        return None
    asked_by = question.key.partition("/")[0]
    texts = notifications_queries.list_texts_with_key(reply, f"{asked_by}/")
    abouts: dict[int, tuple[str, int]] = {}
    for about in (text.about for text in texts if text.about.startswith(_PREFIX)):
        head, _colon, items = about.removeprefix(_PREFIX).partition(":")
        for number, item in enumerate(items.split(","), int(head[1:])):
            name, _dot, revision = item.partition(".")
            abouts[number] = (_expand(name), int(revision))
    by_about = {}
    for one in questions.load_questions({about for about, _revision in abouts.values()}):
        by_about[one.about] = one
    letters = {letter: command for command, letter in _LETTERS.items()}
    return AskedQuestions(
        command=letters[question.about.removeprefix(_PREFIX)[0]],
        reply_id=int(asked_by.removeprefix("reply:")),
        numbered={
            number: by_about[about] for number, (about, _revision) in sorted(abouts.items()) if about in by_about
        },
        revisions=dict(abouts.values()),
        is_newest_text=notifications_queries.find_newest_text(reply) in texts,
    )


def _shorten(about: str) -> str:
    kind, _colon, number = about.partition(":")
    return f"{_SHORT_NAMES[kind]}{number}"


def _expand(name: str) -> str:
    return f"offer:{name[1:]}" if name.startswith("o") else f"booking:{name}"


def _word_shortest(command: ReplyCommand, asked: Sequence[Question], start: int) -> str:
    if len(asked) > MOST_CHOICES:
        return ""
    with translation.override(asked[0].language):
        for length in range(LONGEST_NAME, SHORTEST_NAME - 1, -1):
            text = _word_question(_LETTERS[command], asked, start, length)
            if message_content.count_segments(text) == 1:
                return text
    return ""


def _word_question(letter: str, asked: Sequence[Question], start: int, name_length: int) -> str:
    choices, last_day = [], ""
    for number, one in enumerate(asked, start):
        zone = one.drive.site.timezone
        day, time = localtime.format_short_day(one.starts_at, zone), localtime.format_time(one.starts_at, zone)
        when = time if day == last_day else f"{day} {time}"  # a party's visits are on one day
        offer = "" if one.booking else f" {_('offer')}"
        choices.append(f"{letter} {number} = {one.first_name[:name_length]} {when}{offer}")
        last_day = day
    words = {"org": asked[0].drive.organization.sms_name, "choices": ", ".join(choices), "letter": letter}
    if len(asked) == 1:
        return message_content.convert_to_gsm(_("%(org)s: Which visit? Reply %(choices)s") % words)
    return message_content.convert_to_gsm(_("%(org)s: Which visit? Reply %(choices)s, or %(letter)s all") % words)


def _queue_answer(
    reply: InboundMessage, organization: Organization, language: str, about: str, text: str, now: datetime
) -> None:
    (envelope,) = envelopes.build_envelopes(
        kinds.REPLY_ANSWER,
        Addressee([(Channel.SMS, reply.address)], language=language),
        key=f"reply:{reply.pk}/{kinds.REPLY_ANSWER.name}/{about}",  # a command may get one answer for each visit
        about=about,
        due_at=now,
    )
    content = MessageContent(text=message_content.convert_to_gsm(text))
    outbox.queue_messages(organization=organization, messages=[RenderedMessage(envelope, content)], now=now)
