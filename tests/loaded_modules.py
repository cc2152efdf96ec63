"""Run code in a new Python process, and list the modules that it has loaded."""

import json
import os
import subprocess
import sys
from typing import Any

from config.embedded.processes import ROOT


def list_modules(code: str, **environment: str) -> set[str]:
    return {*run(f"{code}\nresult = list(sys.modules)", **environment)}


def run(code: str, **environment: str) -> list[Any]:
    """Return the list that the code calls `result`."""
    program = f"import json, sys\n{code}\nprint(json.dumps(result))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return result
