"""`make soak`: a long version of the fault tests. It writes its results to docs/guarantees.md.

`python -m bench.soak [part …] [--share 0.1]` runs only these parts, or only a fraction of the full number of tries.
"""

import argparse
import importlib
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

from config.embedded.processes import ROOT
from tests.conftest import OURS
from tests.servers import Servers

GUARANTEES = ROOT / "docs" / "guarantees.md"
KILLS, BLIND_KILLS, MESSAGES = 1_000, 100, 10_000
KEPT_REQUESTS = 10_000
TRIES, ATTACKS, POOLED_REQUESTS, ROLLING_REQUESTS = 2_000, 10_000, 10_000, 10_000
ROUNDS, PAIRS = 1_000, 900  # the standard error of a result with 900 pairs is 0.014
KILLS_PER_ARENA = 50  # kills before the messages are left to recover and then counted


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="the share of the full length to run, from 0 to 1")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    servers = Servers()
    try:
        _start_servers(servers)
        good = [_run_part(part, chosen.share) for part in chosen.parts or PARTS]
        return int(False in good)
    finally:
        servers.stop()


def check_kills(share: float) -> tuple[bool, str]:
    """Kill workers at each step of a delivery. The provider can look up the messages that it has accepted."""
    total = _kill_workers(int(KILLS * share), deaf=False)
    good = total["lost"] == total["doubled"] == 0 and total["recovered"] <= 120
    return good, (
        f"{total['kills']:,} kills, {total['messages']:,} messages: {total['lost']} lost, {total['doubled']} doubled,"
        f" recovered in ≤ {total['recovered']} s"
    )


def check_blind_kills(share: float) -> tuple[bool, str]:
    """Kill workers at each step of a delivery. The provider accepts messages but does not respond to look-ups."""
    total = _kill_workers(int(BLIND_KILLS * share), deaf=True)
    good = total["lost"] == 0 and total["most_extra"] <= 1
    return good, (
        f"{total['kills']:,} kills, {total['messages']:,} messages: {total['lost']} lost, {total['extra']} extra,"
        f" {total['most_extra']} at most of one message"
    )


def check_provider_faults(share: float) -> tuple[bool, str]:
    """Deliver through a provider that fails 30 % of calls."""
    faulty_provider, twilio = (
        importlib.import_module("tests.faults.faulty_provider"),
        importlib.import_module("tests.standins.twilio"),
    )
    with twilio.TwilioStandIn() as standin, _use_stand_in(standin):
        run = faulty_provider.FaultRun(standin, random.Random())
        run.queue(int(MESSAGES * share))
        run.run_sweeps(hangs=2)
        counts = run.count()
    return counts.lost == counts.doubled == 0, (
        f"{counts.messages:,} messages, {counts.faults:,} faults: {counts.lost} lost, {counts.doubled} doubled,"
        f" all with the provider after {int(counts.took.total_seconds() // 60)} min on the workers' clock"
    )


def check_report_orders(share: float) -> tuple[bool, str]:
    """Check that status reports lead to the right state, in every order and with any reports missing."""
    cases = importlib.import_module("tests.faults.report_orders")
    chosen = random.sample(cases.ORDERS, int(len(cases.ORDERS) * share))
    wrong = cases.count_wrong(chosen)
    return wrong == 0, f"{len(chosen):,} orders: {wrong} wrong"


def check_races(share: float) -> tuple[bool, str]:
    good, summary = _run_tests("tests/races")
    return good, f"tests/races: {summary}"


def _run_tests(path: str, **more: str) -> tuple[bool, str]:
    good, lines = _list_test_output(path, **more)
    return good, lines[-1].strip("= ")


def _run_tests_for_figures(path: str, **more: str) -> tuple[bool, str]:
    """Run tests. Return whether they pass, and the figures that they print (`tests.figures`)."""
    good, lines = _list_test_output(path, **more)
    noted = [line.split(": ", 2)[2] for line in lines if line.startswith("test_") and line.count(": ") >= 2]
    return good and bool(noted), "; ".join(noted)


def _list_test_output(path: str, **more: str) -> tuple[bool, list[str]]:
    overridden = {*OURS, "DATABASE_URL", "REDIS_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in overridden}
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", path],
        cwd=ROOT,
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        print(answer.stdout[-3000:], flush=True)
    return answer.returncode == 0, answer.stdout.strip().splitlines()


def check_waitlist_rounds(share: float) -> tuple[bool, str]:
    count = int(ROUNDS * share)
    good, summary = _run_tests("tests/drives/waitlist/test_rounds.py", WAITING_ROUNDS=str(count))
    return good, f"{count:,} rounds, {summary}"


def check_rolling_restart(share: float) -> tuple[bool, str]:
    """Restart two web servers one after the other under load, while a migration adds a column."""
    count = int(ROLLING_REQUESTS * share)
    good, summary = _run_tests("tests/stack/test_rolling_restart.py", ROLLING_REQUESTS=str(count))
    return good, f"{count:,} requests, {summary}"


def check_slow_connections(share: float) -> tuple[bool, str]:
    """Hold incomplete requests open, and reuse connections after early responses."""
    count = int(KEPT_REQUESTS * share)
    good, summary = _run_tests("tests/stack/test_slow_clients.py", KEPT_REQUESTS=str(count))
    return good, f"{count:,} requests on kept connections, {summary}"


def check_change_tries(share: float) -> tuple[bool, str]:
    """Let a donor try to change a booking again and again. Check that another donor still gets a code."""
    return _run_tests_for_figures("tests/faults/test_codes_first.py", CHANGE_TRIES=str(int(TRIES * share)))


def check_code_attack(share: float) -> tuple[bool, str]:
    """Request codes from many networks. Check that known donors still get codes."""
    return _run_tests_for_figures("tests/faults/test_code_budgets.py", ATTACKS=str(int(ATTACKS * share)))


def check_pooler(share: float) -> tuple[bool, str]:
    """Send requests through PgBouncer in transaction mode."""
    count = int(POOLED_REQUESTS * share)
    good, summary = _run_tests("tests/stack/test_pgbouncer.py", REQUESTS=str(count))
    return good, f"{count:,} requests behind PgBouncer, {summary}"


def check_timing(share: float) -> tuple[bool, str]:
    """Check that response times do not reveal whether a contact is known.

    Also time a view that does reveal it, to show that the measurement works.
    """
    measure = importlib.import_module("tests.faults.timing")
    pairs = int(PAIRS * share)
    figures = measure.told_by_time(pairs, random.Random())
    with measure.leaking():
        control_figures = measure.told_by_time(pairs // 4, random.Random())
    good = all(0.45 <= figure <= 0.55 for figure in figures.values()) and all(
        figure > 0.55 for figure in control_figures.values()
    )
    labels = {"hold": "a hold", "code": "another code", "find": "`/find/`"}
    summary = ", ".join(
        f"{labels[door]} {figure:.3f} (control {control_figures[door]:.2f})" for door, figure in figures.items()
    )
    return good, f"AUC of {pairs:,} known and {pairs:,} unknown: {summary}"


PARTS: dict[str, Callable[[float], tuple[bool, str]]] = {
    "kills": check_kills,
    "blind": check_blind_kills,
    "provider": check_provider_faults,
    "reports": check_report_orders,
    "races": check_races,
    "rounds": check_waitlist_rounds,
    "timing": check_timing,
    "connections": check_slow_connections,
    "changes": check_change_tries,
    "attack": check_code_attack,
    "pooler": check_pooler,
    "rolling": check_rolling_restart,
}


def _start_servers(servers: Servers) -> None:
    os.environ.update({**OURS, "SMS_PROVIDER": "twilio", "LOG_LEVEL": "ERROR"})
    os.environ.pop("DATABASE_URL", None)
    servers.start()
    servers.running[0].create_database("drives")  # type: ignore[union-attr]
    django.setup()
    importlib.import_module("django.core.management").call_command("migrate", verbosity=0, skip_checks=True)


def _kill_workers(kills: int, *, deaf: bool) -> Counter[str]:
    killing, twilio = importlib.import_module("tests.faults.killing"), importlib.import_module("tests.standins.twilio")
    total: Counter[str] = Counter()
    while total["kills"] < kills:
        with twilio.TwilioStandIn() as standin, _use_stand_in(standin), killing.Arena(standin) as arena:
            standin.deaf = deaf
            while arena.kills < min(KILLS_PER_ARENA, kills - total["kills"]):
                for strike in killing.POINTS.values():
                    strike(arena, finishes=random.random() < 0.5)
            arena.recover(timedelta(minutes=15 if deaf else 4))
            counts = arena.count()
        for name in ("kills", "messages", "lost", "doubled", "extra"):
            total[name] += getattr(counts, name)
        total["most_extra"] = max(total["most_extra"], counts.most_extra)
        total["recovered"] = max(total["recovered"], round(counts.recovered_after))
        print(f"  {total['kills']} kills, {total['lost']} lost, {total['doubled']} doubled", flush=True)
    return total


def _use_stand_in(standin: Any) -> Any:
    override = importlib.import_module("django.test").override_settings
    return override(TWILIO_API_URL=standin.url)


def _run_part(part: str, share: float) -> bool:
    print(f"{part} …", flush=True)
    began = time.monotonic()
    good, summary = PARTS[part](share)
    print(f"{'  ' if good else '✗ '}{summary} ({time.monotonic() - began:.0f} s)", flush=True)
    if share == 1.0:
        _record_figure(part, summary if good else f"**broken:** {summary}")
    return good


def _record_figure(part: str, summary: str) -> None:
    """Write a result into the table cell of docs/guarantees.md that is marked with the part's name."""
    cell = f"| {summary} <!-- {part} -->"
    GUARANTEES.write_text(re.sub(rf"\| [^|\n]*<!-- {part} -->", cell, GUARANTEES.read_text()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
