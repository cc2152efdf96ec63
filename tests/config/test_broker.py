"""The demo's message broker stores messages as files. A reader never gets an incomplete one."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kombu.transport import filesystem

from config.embedded.broker import Channel

LONG = {"body": "x" * 4_000_000}


def half_messages(writer: type[filesystem.Channel], folder: Path) -> int:
    """Count the incomplete messages that a reader sees while twenty long messages are written."""
    channel: Any = SimpleNamespace(data_folder_out=str(folder))
    writing = threading.Thread(target=lambda: [writer._put(channel, "drives", LONG) for _message in range(20)])
    writing.start()
    found = 0
    while writing.is_alive():
        for path in folder.glob("*.drives.msg"):
            found += not is_whole(path)
    writing.join()
    assert len(list(folder.glob("*.drives.msg"))) == 20
    return found


def is_whole(path: Path) -> bool:
    text = path.read_bytes()
    return len(text) == len(json.dumps(LONG))


def test_a_message_appears_whole(tmp_path: Path) -> None:
    assert half_messages(Channel, tmp_path) == 0


def test_control_a_message_written_in_place_is_seen_unfinished(tmp_path: Path) -> None:
    assert half_messages(filesystem.Channel, tmp_path) > 0
