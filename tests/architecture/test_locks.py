"""The lock files contain what pyproject.toml requires, with hashes and without URLs."""

import re
import tomllib
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
HASH = "--hash=sha256:" + "0" * 64
SOUND = f"django==5.2.19 \\\n    {HASH}\n    # via -r in.txt\nyaml-x==1.0 \\\n    {HASH}\n"


def pinned_versions(lock: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def wanted(lock_name: str) -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    development = settings["dependency-groups"]["dev"] if lock_name == "requirements-dev.lock" else []
    return [*settings["project"]["dependencies"], *development]


def unmet(requirements: Iterable[str], lock: str) -> list[str]:
    versions = pinned_versions(lock)
    needs = [(line, Requirement(line)) for line in requirements]
    return [
        line
        for line, need in needs
        if (version := versions.get(canonicalize_name(need.name))) is None
        or not need.specifier.contains(version, prereleases=True)
    ]


def differing(image: str, development: str) -> list[str]:
    """List the packages in the image's lock file that the development lock file does not have in the same version."""
    versions = pinned_versions(development)
    return [name for name, version in pinned_versions(image).items() if versions.get(name) != version]


def lock_faults(lock: str) -> list[str]:
    """List the entries without a version or a hash, and the lines with a URL."""
    entries = [entry for entry in re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE) if entry[:1] not in {"", "#", " "}]
    unsound = [
        entry.splitlines()[0]
        for entry in entries
        if not re.match(r"[A-Za-z0-9._-]+==\S", entry) or not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    ]
    return unsound + [line for line in lock.splitlines() if "://" in line and line not in unsound]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_meets_pyproject(name: str) -> None:
    assert len(wanted(name)) > 15
    assert unmet(wanted(name), (ROOT / name).read_text()) == []


def test_the_locks_agree_with_each_other() -> None:
    assert differing(*((ROOT / name).read_text() for name in LOCKS)) == []


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_has_hashes_and_no_addresses(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert len(pinned_versions(lock)) > 30
    assert lock_faults(lock) == []


def test_control_a_version_outside_the_range_is_caught() -> None:
    assert unmet(["Django>=5.2.19,<5.3", "yaml_x"], SOUND) == []
    assert unmet(["django>=6", "yaml-x"], SOUND) == ["django>=6"]


def test_control_a_missing_package_is_caught() -> None:
    assert unmet(["types-requests"], SOUND) == ["types-requests"]


def test_control_locks_that_differ_are_caught() -> None:
    assert differing(SOUND, SOUND.replace("5.2.19", "5.2.20")) == ["django"]
    assert differing(SOUND, "django==5.2.19") == ["yaml-x"]


@pytest.mark.parametrize(
    "line",
    [
        "redis==6.4.0",
        "redis==6.4.0 \\\n    --hash=md5:00",
        f"redis>=6.4 \\\n    {HASH}",
        "--index-url https://packages.example.org/simple",
        "redis @ https://packages.example.org/redis.whl",
    ],
)
def test_control_an_entry_without_a_hash_or_with_an_address_is_caught(line: str) -> None:
    assert lock_faults(SOUND) == []
    assert lock_faults(f"{SOUND}{line}\n") == [line.splitlines()[0]]


def test_control_an_address_in_a_comment_is_caught() -> None:
    line = "    # from https://packages.example.org/simple"
    assert lock_faults(f"{SOUND}{line}\n") == [line]
