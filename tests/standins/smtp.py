"""A fake mail server that keeps the mail it gets. Tests can make it refuse commands or disconnect."""

import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Mail:
    sender: str
    to: str
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)


class MailSink:
    """The server, in its own thread. `answers` maps a command's first word to a reply that replaces "250".

    The reply "drop" closes the connection without a response. The word "." stands for the end of the data.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.connections = 0
        self.answers: dict[str, str] = {}
        sink = self

        class Handler(_Conversation):
            owner = sink

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Conversation(socketserver.StreamRequestHandler):
    owner: MailSink

    def handle(self) -> None:
        self.owner.connections += 1
        self._sender = self._to = ""
        self._say("220 sink")
        while line := self.rfile.readline().decode("latin-1").strip():
            word = line.split(" ")[0].split(":")[0].upper()
            if not self._answer(word, line):
                return

    def _answer(self, word: str, line: str) -> bool:
        """Reply to one command. Return False to end the session."""
        planned = self.owner.answers.get(word)
        if planned == "drop":
            return False
        if planned:
            self._say(planned)
        elif word == "DATA":
            self._say("354 go on")
            return self._data()
        elif word == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._note(word, line)
            self._say("250 ok")
        return True

    def _note(self, word: str, line: str) -> None:
        address = line.partition("<")[2].partition(">")[0]
        if word == "MAIL":
            self._sender = address
        elif word == "RCPT":
            self._to = address

    def _data(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        planned = self.owner.answers.get(".")
        if planned is None or planned == "drop":
            self.owner.mails.append(Mail(self._sender, self._to, b"".join(lines)))
        if planned == "drop":
            return False
        self._say(planned or "250 kept")
        return True

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())
