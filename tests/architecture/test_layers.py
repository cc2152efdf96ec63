"""Import contracts name every layer of every package, and import-linter catches violations."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import APPS, ROOT

NOT_SERVED = {"bench", "tests"}
Contract = dict[str, Any]


def settings() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return found


def layers_of(contract: Contract) -> list[list[str]]:
    """List the layers of a contract from the top down. Each layer is a list of the modules on one level."""
    return [[name.strip(" ()") for name in layer.replace(":", "|").split("|")] for layer in contract["layers"]]


def faults(contract: Contract) -> list[str]:
    """List the settings that make a contract skip modules."""
    optional = [layer for layer in contract["layers"] if "(" in layer]
    open_ended = contract.get("containers") and not contract.get("exhaustive")
    further = [*contract.get("exhaustive_ignores", ()), *contract.get("ignore_imports", ())]
    return [*optional, *(["not exhaustive"] if open_ended else []), *further]


CONTRACTS = {
    package: contract
    for contract in settings()["contracts"]
    if contract["type"] == "layers"
    for package in contract.get("containers", ())
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Create a folder with the project's import contracts and an empty module for every layer."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package, contract in CONTRACTS.items():
        for module in [name for layer in layers_of(contract) for name in layer]:
            write(tmp_path, f"{package}.{module}.__init__")
    return tmp_path


def write(tree: Path, module: str, text: str = "") -> None:
    path = tree.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    for folder in path.relative_to(tree).parents[:-1]:
        (tree / folder / "__init__.py").touch()


def lint(tree: Path) -> tuple[bool, str]:
    """Return whether all contracts are kept, and the output of import-linter."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def test_every_package_has_its_contract() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_SERVED
    assert packages >= {*APPS, "config"}
    assert packages == set(settings()["root_packages"]) == CONTRACTS.keys() & packages


def test_no_contract_passes_over_a_module() -> None:
    assert [fault for contract in settings()["contracts"] for fault in faults(contract)] == []


def test_control_a_contract_that_passes_over_a_module_is_caught() -> None:
    seeded = {"containers": ["drives"], "layers": ["web", "(actions)"], "ignore_imports": ["a -> b"]}
    assert faults(seeded) == ["(actions)", "not exhaustive", "a -> b"]


def test_a_tree_of_all_layers_is_kept(tree: Path) -> None:
    kept, said = lint(tree)
    assert kept, said


@pytest.mark.parametrize("package", CONTRACTS)
def test_control_an_import_from_a_higher_layer_is_caught(package: str, tree: Path) -> None:
    *_, (higher, *_), (lowest, *_) = layers_of(CONTRACTS[package])
    write(tree, f"{package}.{lowest}.deep.inside", f"from {package} import {higher}")
    kept, said = lint(tree)
    assert not kept
    assert f"{package}.{lowest} is not allowed to import {package}.{higher}" in said


@pytest.mark.parametrize("package", CONTRACTS)
def test_control_an_import_from_the_side_is_caught(package: str, tree: Path) -> None:
    one, another = next(layer for layer in layers_of(CONTRACTS[package]) if len(layer) > 1)[:2]
    write(tree, f"{package}.{one}.deep", f"from {package} import {another}")
    kept, said = lint(tree)
    assert not kept
    assert f"{package}.{one} is not allowed to import {package}.{another}" in said


@pytest.mark.parametrize("package", CONTRACTS)
def test_control_a_layer_that_is_not_there_is_caught(package: str, tree: Path) -> None:
    shutil.rmtree(tree / package.replace(".", "/") / layers_of(CONTRACTS[package])[-1][0])
    kept, said = lint(tree)
    assert not kept
    assert "Missing layer" in said


@pytest.mark.parametrize("package", CONTRACTS)
def test_control_a_folder_that_no_layer_names_is_caught(package: str, tree: Path) -> None:
    write(tree, f"{package}.unheard_of.module")
    kept, said = lint(tree)
    assert not kept
    assert f"{package}.unheard_of" in said


def test_control_an_import_from_a_higher_app_is_caught(tree: Path) -> None:
    write(tree, "organizations.models.users", "from drives import models")
    kept, said = lint(tree)
    assert not kept
    assert "organizations is not allowed to import drives" in said
