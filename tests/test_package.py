"""The house rules that a machine can hold: imports, signatures, locks, languages, privacy."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ecoanalysis"
MODULES = [
    "codebook", "schemas", "study", "linkage", "sources", "ties", "typology", "scoring",
    "network", "ratings", "pipeline", "comparison", "export", "report", "batch",
]  # fmt: skip


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_import_contract_breaks_on_a_planted_import(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "ecoanalysis", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    assert lint_imports(tmp_path).returncode == 0
    with (tmp_path / "ecoanalysis" / "scoring" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\nfrom ecoanalysis import typology\n")
    broken = lint_imports(tmp_path)
    assert broken.returncode != 0
    assert "ecoanalysis.scoring -> ecoanalysis.typology" in broken.stdout


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_take_few_positionals_and_say_what_they_return(name: str) -> None:
    module = importlib.import_module(f"ecoanalysis.{name}")
    functions = [
        function
        for label, function in inspect.getmembers(module, inspect.isfunction)
        if not label.startswith("_") and function.__module__.startswith(module.__name__)
    ]
    assert functions
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert len(positional) <= 3, f"{name}.{function.__name__}"
        optional = [p.name for p in positional if p.default is not p.empty]
        assert not optional, f"{name}.{function.__name__}: {optional} should be keyword-only"
        assert function.__doc__, f"{name}.{function.__name__} has no docstring"


def test_conda_file_has_the_locks_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[<>=\[]", line)[0] for line in project["dependencies"]}
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    pins = next(part["pip"] for part in conda if isinstance(part, dict))
    versions = dict(pin.split("==") for pin in pins if "==" in pin)
    assert set(versions) == wanted
    assert "python=3.11" in conda
    for name, version in versions.items():
        assert re.search(rf"^{re.escape(name)}=={re.escape(version)}[ \\]", lock, re.M), name


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "environment.yml"])
def test_locks_name_no_index(name: str) -> None:
    assert "://" not in (ROOT / name).read_text("utf-8")


def test_every_message_has_its_french() -> None:
    with (PACKAGE / "locale/fr/LC_MESSAGES/ecoanalysis.po").open("rb") as file:
        catalogue = read_po(file)
    methods = [("**.py", "python"), ("**.html.j2", "jinja2")]
    methods += [("**/faults.csv", "ecoanalysis.wording:extract_messages")]
    options = {
        "**.html.j2": {"silent": "false", "trimmed": "true", "extensions": "jinja2.ext.i18n"}
    }
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    found = extract_from_dir(PACKAGE, methods, options, keywords=keywords)
    missing = set()
    for _, _, message, _, _ in found:
        first = message if isinstance(message, str) else message[0]
        entry = catalogue.get(first)
        strings = (
            [entry.string] if entry and isinstance(entry.string, str) else entry and entry.string
        )
        if entry is None or entry.fuzzy or not strings or not all(strings):
            missing.add(first)
    assert not missing


def test_data_holds_no_contact() -> None:
    telephone = re.compile(r"(?<![\d.\-])(?:\+\d{2,3}|00\d{2}|0\d)(?:[ .\-]?\d{2}){4}(?![\d.])")
    for file in sorted((ROOT / "data").rglob("*")):
        if file.is_file():
            text = file.read_text("utf-8")
            assert "@" not in text, file
            assert not telephone.search(text), (file, telephone.search(text))
