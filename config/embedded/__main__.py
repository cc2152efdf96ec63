"""Run the whole service on this machine: `python -m config.embedded`.

`python -m config.embedded with COMMAND …` runs a command with a temporary database.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from environs import EnvError, env

from config.embedded import postgres, workspace
from config.embedded.guard import Guard
from config.embedded.postgres import StartError
from config.embedded.stack import Stack


def main(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["with"]:
            return _run_with_database(arguments[1:])
        return Stack(workspace.open_workspace(), with_parent="--with-parent" in arguments).run()
    except (StartError, EnvError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run_with_database(command: list[str]) -> int:
    """Start a temporary database server unless DATABASE_URL is already set, and run the command with it."""
    if env.str("DATABASE_URL", ""):
        return subprocess.run(command, check=False).returncode
    guard = Guard()
    folder = Path(tempfile.mkdtemp(prefix="drives-"))
    guard.remove_at_exit(folder)
    server = None
    try:
        with (folder / "postgres.log").open("wb") as log:
            server = postgres.start_postgres(folder / "postgres", guard, settings=postgres.FAST_SETTINGS, output=log)
        server.create_database("drives")
        environment = {**os.environ, "DATABASE_URL": server.url("drives")}
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        if server:
            server.stop()
        guard.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
