"""A wheel, installed alone in an empty environment, makes reports outside the clone."""

from __future__ import annotations

import gettext
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_wheel_makes_the_training_reports_in_another_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    (catalogue,) = (ROOT / "ecoanalysis/locale").rglob("*.mo")
    before = catalogue.stat().st_mtime_ns  # of the set-up, minutes ago at least
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    assert catalogue.stat().st_mtime_ns == before  # what runs beside reads it
    with catalogue.open("rb") as binary:
        head = gettext.GNUTranslations(binary).info()
    assert head["pot-creation-date"].startswith("1970-01-01")  # not the day of the build
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    quiet = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
    subprocess.run([*quiet, *locked], check=True, capture_output=True)
    subprocess.run([*quiet, "--no-deps", str(wheel)], check=True, capture_output=True)
    shutil.copytree(ROOT / "data/training", tmp_path / "elsewhere/training")
    command = [str(python), "-m", "ecoanalysis", "report", "training", "--language", "fr"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "elsewhere/reports/training/fr"
    assert len(list(made.rglob("report.html"))) == 4
    assert "Qui est là" in (made / "comparison/report.html").read_text("utf-8") or (
        made / "index.html"
    ).read_text("utf-8").count('lang="fr"')
