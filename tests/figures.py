"""Figures that tests measure. pytest prints them at the end of the run."""

import pytest


def note(request: pytest.FixtureRequest, what: str, value: object) -> None:
    """Store a figure in the test's report, which xdist's workers send to the main process."""
    request.node.user_properties.append((what, str(value)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    noted = [
        (report, what, value) for report in reports if report.when == "call" for what, value in report.user_properties
    ]
    if noted:
        terminalreporter.section("figures")
    for report, what, value in noted:
        terminalreporter.line(f"{report.nodeid.partition('::')[2]}: {what}: {value}")
