"""Mail through an SMTP server."""

import hashlib
import ipaddress
import queue
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from notifications.models import MessageState
from notifications.providers.base import Found, GatewayError, Letter, Receipt
from notifications.rules import Kind

SECONDS = 10
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
# Control characters and the separators of lines: they end a header, or split one for some readers.
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class _OneLine(UnstructuredHeader):
    """An address in a header. Folded like words, a long one (76 characters) would be encoded, and read by nobody."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)  # type: ignore[arg-type]  # as its own classes, a part of one
_POLICY = SMTP.clone(header_factory=_HEADERS)


class SmtpGateway:
    """Sends e-mail. Nobody can be asked later, so what is in doubt is sent once more, under the same Message-ID."""

    parallel = 4
    can_look_up = False

    def __init__(self, url: str, leaves_from: str) -> None:
        self._server = urlsplit(url)
        self._from = parseaddr(leaves_from)
        self._idle: queue.SimpleQueue[smtplib.SMTP] = queue.SimpleQueue()

    def send(self, letter: Letter) -> Receipt:
        """Hand the mail over. Once its data was on its way, a lost connection leaves it in doubt."""
        message_id, content = self._composed(letter)
        connection = self._envelope(letter.address)
        try:
            code, _answer = connection.data(content)
        except smtplib.SMTPDataError as error:
            self._end(connection)
            _refused(error.smtp_code)
        except (smtplib.SMTPException, OSError) as error:
            self._end(connection)
            raise GatewayError(Kind.IN_DOUBT, "no_answer") from error
        self._idle.put(connection)
        if code != 250:
            _refused(code)
        return Receipt(message_id, MessageState.SENT)

    def find(self, letter: Letter, since: datetime) -> list[Found]:
        return []

    def fetch(self, provider_id: str) -> Found | None:
        return None

    def close(self) -> None:
        while (connection := self._taken()) is not None:
            self._end(connection)

    def _composed(self, letter: Letter) -> tuple[str, bytes]:
        """The Message-ID and the mail. What cannot be written as a mail fails for good, before anybody is called."""
        try:
            message = compose(letter, *self._from)
            return str(message["Message-ID"]), message.as_bytes(policy=SMTP)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise GatewayError(Kind.PERMANENT, "not_composable") from error

    def _envelope(self, address: str) -> smtplib.SMTP:
        """A connection on which sender and recipient were accepted. A kept one that has ended is replaced."""
        while (kept := self._taken()) is not None:
            try:
                kept.rset()
                return self._addressed(kept, address)
            except (smtplib.SMTPServerDisconnected, OSError):
                kept.close()
        try:
            return self._addressed(self._connected(), address)
        except smtplib.SMTPAuthenticationError as error:
            raise GatewayError(Kind.CONFIGURATION, "credentials_refused", str(error.smtp_code)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise GatewayError(Kind.TRANSIENT, "unreachable") from error

    def _addressed(self, connection: smtplib.SMTP, address: str) -> smtplib.SMTP:
        for step, argument in ((connection.mail, self._from[1]), (connection.rcpt, address)):
            code, _answer = _say(step, argument)
            if code not in {250, 251}:
                self._idle.put(connection)
                _refused(code, sender=step == connection.mail)
        return connection

    def _connected(self) -> smtplib.SMTP:
        host, port = self._server.hostname or "localhost", self._server.port or _PORTS[self._server.scheme]
        if self._server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=SECONDS, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(host, port, timeout=SECONDS)
            self._encrypt(connection, host)
        if self._server.username:
            connection.login(unquote(self._server.username), unquote(self._server.password or ""))
        else:
            connection.ehlo_or_helo_if_needed()
        return connection

    def _encrypt(self, connection: smtplib.SMTP, host: str) -> None:
        """STARTTLS where it is offered; demanded by smtp+tls and for a password. This machine is trusted as it is."""
        connection.ehlo_or_helo_if_needed()
        demanded = self._server.scheme == "smtp+tls" or bool(self._server.username)
        if _is_this_machine(host) and not demanded:
            return
        if connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
        elif demanded and not _is_this_machine(host):
            connection.close()
            raise GatewayError(Kind.CONFIGURATION, "no_encryption")

    def _taken(self) -> smtplib.SMTP | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def _end(self, connection: smtplib.SMTP) -> None:
        try:
            connection.quit()
        except (smtplib.SMTPException, OSError):
            connection.close()


def compose(letter: Letter, default_name: str, mailbox: str) -> EmailMessage:
    """The mail: text, then HTML, then the calendar object, as readers choose the last they know (RFC 2046, 6047)."""
    message = EmailMessage(policy=_POLICY)
    host = mailbox.rpartition("@")[2]
    message["From"] = str(Address(display_name=_line(letter.name or default_name), addr_spec=mailbox))
    message["To"] = _line(letter.address)
    if letter.reply_to:
        message["Reply-To"] = _line(letter.reply_to)
    message["Subject"] = _line(letter.subject)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{hashlib.sha256(letter.key.encode()).hexdigest()[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{_line(letter.unsubscribe_url)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    if letter.calendar:
        method = {"method": letter.calendar_method} if letter.calendar_method else {}
        message.add_alternative(letter.calendar, subtype="calendar", params=method)
    return message


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(step: Callable[[str], tuple[int, bytes]], argument: str) -> tuple[int, bytes]:
    """One command. An address that cannot be written in it is refused as the server would."""
    try:
        return step(argument)
    except (UnicodeEncodeError, smtplib.SMTPNotSupportedError):
        return 553, b""


def _refused(code: int, *, sender: bool = False) -> NoReturn:
    if 400 <= code < 500:
        raise GatewayError(Kind.TRANSIENT, "refused_for_now", str(code))
    if sender:
        raise GatewayError(Kind.CONFIGURATION, "sender_refused", str(code))
    raise GatewayError(Kind.PERMANENT, "address_refused" if code in {550, 551, 553} else "refused", str(code))
