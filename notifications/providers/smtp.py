"""E-mail through an SMTP server, with Django's mail classes."""

import contextlib
import hashlib
import ipaddress
import queue
import re
import smtplib
from datetime import datetime
from email.errors import MessageError
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

import dj_email_url
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from notifications import error_codes
from notifications.error_codes import ErrorKind
from notifications.models import MessageState
from notifications.providers.base import OutgoingMessage, ProviderError, ProviderMessage, Receipt

TIMEOUT_SECONDS = 10
MAILBOX_CODES = {550, 551, 552, 553}
MAILBOX_CLASSES = ("5.1.", "5.2.")  # enhanced status codes (RFC 3463) about the mailbox, unlike 5.7 (policy)


class SmtpConnection(smtplib.SMTP):
    def data(self, msg: Any) -> tuple[int, bytes]:
        try:
            return super().data(msg)
        except smtplib.SMTPDataError:
            raise
        except OSError as error:
            # The connection was lost while the data was sent, so the server may have accepted the mail.
            raise ProviderError(ErrorKind.IN_DOUBT, "no_answer") from error


class SmtpTlsConnection(SmtpConnection, smtplib.SMTP_SSL):
    pass


class SmtpBackend(EmailBackend):
    """An SMTP connection that `SmtpProvider` keeps open."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return SmtpTlsConnection if self.use_ssl else SmtpConnection

    def is_alive(self) -> bool:
        try:
            return self.connection is not None and self.connection.noop()[0] == 250
        except OSError:
            return False

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


class Mail(EmailMultiAlternatives):
    def message(self, **options: Any) -> Any:
        # Do not fold headers. Some mail readers miss an address on the second line.
        built = super().message(**options)
        built.policy = built.policy.clone(max_line_length=0)
        return built


class SmtpProvider:
    """Sends e-mail through the configured mail server.

    A mail server cannot say whether it accepted an earlier message. So a message in doubt is sent again with the same
    Message-ID.
    """

    parallel_calls = 4
    can_look_up = False

    def __init__(self, url: str, from_address: str) -> None:
        self._server = parse_email_url(url)
        self._from = parseaddr(from_address)
        self._idle: queue.SimpleQueue[SmtpBackend] = queue.SimpleQueue()

    def send(self, message: OutgoingMessage) -> Receipt:
        try:
            mail = compose_mail(message, *self._from)
            mail.message()  # a mail that cannot be composed fails here, before the server is called
        except (ValueError, MessageError) as error:
            raise ProviderError(ErrorKind.PERMANENT, "not_composable") from error
        # After a refusal, the connection can be used again. After any other error, its state is unknown.
        backend = self._open_backend()
        try:
            backend.send_messages([mail])
        except (ProviderError, ValueError, OSError) as error:
            if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                self._idle.put(backend)
            else:
                backend.close()
            raise convert_error(error) from error
        self._idle.put(backend)
        return Receipt(mail.extra_headers["Message-ID"], MessageState.SENT)

    def find(self, message: OutgoingMessage, since: datetime) -> list[ProviderMessage]:
        return []

    def fetch(self, provider_id: str) -> ProviderMessage | None:
        return None

    def check(self, number: str) -> None:
        self._idle.put(self._open_backend())

    def close(self) -> None:
        while (backend := self._take_idle()) is not None:
            backend.close()

    def _open_backend(self) -> SmtpBackend:
        while (idle := self._take_idle()) is not None:
            if idle.is_alive():
                return idle
            idle.close()
        backend = SmtpBackend(**self._server)
        try:
            backend.open()
        except OSError as error:
            backend.close()
            raise convert_error(error) from error
        return backend

    def _take_idle(self) -> SmtpBackend | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None


def parse_email_url(url: str) -> dict[str, Any]:
    parsed = dj_email_url.parse(url)
    host, username, use_ssl = parsed["EMAIL_HOST"], parsed["EMAIL_HOST_USER"] or "", parsed["EMAIL_USE_SSL"]
    # With a password, require STARTTLS unless the server is on this machine.
    needs_tls = bool(username) and not use_ssl and not is_loopback_host(host)
    return {
        "host": host,
        "port": parsed["EMAIL_PORT"],
        "username": username,
        "password": parsed["EMAIL_HOST_PASSWORD"] or "",
        "use_ssl": use_ssl,
        "use_tls": parsed["EMAIL_USE_TLS"] or needs_tls,
        "timeout": parsed["EMAIL_TIMEOUT"] or TIMEOUT_SECONDS,
    }


def is_loopback_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def compose_mail(message: OutgoingMessage, default_name: str, mailbox: str) -> Mail:
    digest = hashlib.sha256(message.key.encode()).hexdigest()[:32]
    headers = {
        "Date": format_datetime(message.at),
        "Message-ID": f"<{digest}@{mailbox.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
    }
    if message.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{_remove_line_breaks(message.unsubscribe_url)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = Mail(
        subject=_remove_line_breaks(message.subject),
        body=message.text,
        from_email=formataddr((_remove_line_breaks(message.name or default_name), mailbox)),
        to=[message.address],
        reply_to=[_remove_line_breaks(message.reply_to)] if message.reply_to else None,
        headers=headers,
    )
    # Text, then HTML, then calendar: mail readers show the last part that they support (RFC 2046, 6047).
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    if message.calendar:
        method = f"; method={message.calendar_method}" if message.calendar_method else ""
        mail.attach_alternative(message.calendar, f"text/calendar{method}")
    return mail


def convert_error(error: Exception) -> ProviderError:
    match error:
        case ProviderError():
            return error
        case ValueError():
            return ProviderError(ErrorKind.PERMANENT, "not_composable")
        case smtplib.SMTPAuthenticationError():
            return ProviderError(ErrorKind.CONFIGURATION, "credentials_refused", str(error.smtp_code))
        case smtplib.SMTPNotSupportedError():
            return ProviderError(ErrorKind.CONFIGURATION, "no_encryption")
        case smtplib.SMTPSenderRefused():
            return _build_refusal(error.smtp_code, ErrorKind.CONFIGURATION, "sender_refused")
        case smtplib.SMTPDataError():
            return _build_refusal(error.smtp_code, ErrorKind.PERMANENT, "refused")
        case smtplib.SMTPRecipientsRefused():
            [(code, answer)] = error.recipients.values()
            reason = error_codes.ADDRESS_REFUSED if _is_about_mailbox(code, answer) else "refused"
            return _build_refusal(code, ErrorKind.PERMANENT, reason)
        case _:
            return ProviderError(ErrorKind.TRANSIENT, "unreachable")


def _is_about_mailbox(code: int, answer: bytes) -> bool:
    enhanced = re.match(rb"[45]\.\d{1,3}\.\d{1,3}\b", answer)
    return enhanced[0].decode().startswith(MAILBOX_CLASSES) if enhanced else code in MAILBOX_CODES


def _build_refusal(code: int, kind: ErrorKind, reason: str) -> ProviderError:
    if 400 <= code < 500:
        kind, reason = ErrorKind.TRANSIENT, "refused_for_now"
    return ProviderError(kind, reason, str(code))


def _remove_line_breaks(text: str) -> str:
    return " ".join(text.split())  # Django refuses line breaks in a header
