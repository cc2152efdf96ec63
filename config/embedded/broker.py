"""Celery's file-system broker for the demo, with atomic writes.

With kombu's own transport, a reader may take a message file before it is completely written, and then crash. This
transport writes each message under another name and then renames the file.
"""

import json
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import filesystem


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_options: Any) -> None:  # type: ignore[override]
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{name}.part"
        unfinished.write_text(json.dumps(payload))
        unfinished.replace(folder / name)


class Transport(filesystem.Transport):
    """Kombu's file-system transport with atomic writes. CELERY_BROKER_TRANSPORT names it for filesystem:// URLs."""

    Channel = Channel
