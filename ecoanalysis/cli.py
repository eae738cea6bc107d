"""The command line: the only place that prints and that ends with an exit code.

0 all well, 1 faults in a study or failed pages, 2 a call that cannot be served.
"""

from __future__ import annotations

import json
import locale
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from ecoanalysis.errors import EcoanalysisError, StudyError, UsageError
from ecoanalysis.wording import Language, use_language

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Map, score and compare the actors of a territory's digital ecosystem.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True, highlight=False, markup=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

SHOWN = 50  # rows of a table on the screen


def _guess_language() -> str:
    return "fr" if (locale.getlocale()[0] or "").lower().startswith("fr") else "en"


Argument, Option = typer.Argument, typer.Option
StudyPath = Annotated[Path, Argument(help="Folder of the study.", show_default=False)]
StudyPaths = Annotated[list[Path], Argument(help="Folders of studies.", show_default=False)]
NewFolder = Annotated[Path, Argument(help="Folder to make.", show_default=False)]
ListFiles = Annotated[list[Path], Argument(help="Files of one list.", show_default=False)]
Formats = Literal["geojson", "table", "gexf", "graphml"]
ListFormat = Annotated[Formats, Argument(metavar="FORMAT", show_default=False)]
ScreenLanguage = Annotated[
    str,
    Option(
        default_factory=_guess_language,
        show_default="that of the system",
        help="Language of the messages: fr or en.",
    ),
]
PageLanguage = Annotated[Literal["fr", "en", "all"], Option(help="Language of the pages.")]
JsonFile = Annotated[Path | None, Option("--json", help="Write every fault to this file.")]
Into = Annotated[Path, Option(help="Folder of the study.")]
OneTerritory = Annotated[
    str | None, Option(help="Code of the territory that every row belongs to.")
]
MappingFile = Annotated[Path | None, Option(help="YAML file that says what each column is.")]
Territories = Annotated[
    list[str] | None, Option(help="Code of a territory to make alone; may be repeated.")
]
Region = Annotated[str, Option(help="Only the territories of this region, compared.")]
PageFolder = Annotated[Path, Option("--out", help="Folder of the pages.")]
Jobs = Annotated[int | None, Option(min=1, help="Pages made side by side.")]
Cluster = Annotated[str | None, Option(help="Address of a Dask scheduler.")]
ScenarioFile = Annotated[Path | None, Option(help="YAML file of other weights and coverage.")]
Force = Annotated[bool, Option("--force", help="Make again what is up to date, too.")]
To = Annotated[Literal["xlsx", "parquet"], Option(help="Format to write.")]
Target = Annotated[
    Path | None, Option("--out", help="File (xlsx) or new folder (parquet) to write.")
]


@app.command()
def new(folder: NewFolder, language: ScreenLanguage) -> None:
    """Start a study: a workbook with one sheet a table, and a descriptor."""
    from ecoanalysis.study import new_study

    lang = use_language(language)
    new_study(folder)
    out.print(lang.gettext("Made %(folder)s.") % {"folder": folder})
    then = lang.gettext(
        "Fill the sheets territories and actors of study.xlsx, then run: "
        "ecoanalysis check %(folder)s"
    )
    out.print(then % {"folder": folder})


@app.command()
def check(study: StudyPath, *, json_file: JsonFile = None, language: ScreenLanguage) -> None:
    """Check a study: every fault with its file, row, field and how to mend it."""
    from ecoanalysis.pipeline import review_study

    faults = review_study(study)
    if json_file:
        records = json.loads(faults.to_json(orient="records", force_ascii=False))
        text = json.dumps({"study": str(study), "faults": records}, ensure_ascii=False, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")
    _print_faults(faults, use_language(language), console=out)
    if (faults["severity"] == "refusal").any():
        raise typer.Exit(1)


def _print_faults(faults: pd.DataFrame, lang: Language, *, console: Console) -> None:
    from ecoanalysis.study import describe_faults

    for line in describe_faults(faults, language=lang):
        console.print(line)
    n = int((faults["severity"] == "refusal").sum())
    refusals = lang.ngettext("%(n)s fault", "%(n)s faults", n) % {"n": n}
    n = len(faults) - n
    console.print(
        refusals, lang.ngettext("%(n)s warning", "%(n)s warnings", n) % {"n": n}, sep=", "
    )


@app.command()
def match(study: StudyPath, *, language: ScreenLanguage) -> None:
    """Merge the pairs that matches.csv marks as the same; add to it other pairs that may be."""
    from ecoanalysis.linkage import MATCHES
    from ecoanalysis.pipeline import match_study

    lang = use_language(language)
    matches, log = match_study(study)
    sentences = {
        "united": lang.gettext("%(other)s (%(other_id)s) is now one with %(kept)s (%(actor_id)s)."),
        "left_out": lang.gettext(
            "%(actor_id)s, %(field)s: “%(kept)s” stays, “%(other)s” of %(other_id)s is left out."
        ),
        "removed": lang.gettext(
            "%(table)s: the row %(other)s is left out; it would tie an organisation to itself or "
            "answer a question twice."
        ),
    }
    for row in log.fillna("").to_dict("records"):
        out.print(("" if row["change"] == "united" else "  ") + sentences[row["change"]] % row)
    apart, waiting = (int((matches["decision"] == said).sum()) for said in ("different", ""))
    lines = [
        lang.ngettext(
            "%(n)s pair stays apart, as decided.", "%(n)s pairs stay apart, as decided.", apart
        ),
        lang.ngettext(
            "%(n)s pair waits in %(file)s: write same or different in the column decision, then "
            "run this command again.",
            "%(n)s pairs wait in %(file)s: write same or different in the column decision, then "
            "run this command again.",
            waiting,
        ),
    ]
    for line, n in zip(lines, (apart, waiting), strict=True):
        if n:
            out.print(line % {"n": n, "file": study / MATCHES})
    if not waiting:
        out.print(lang.gettext("No pair waits for a decision."))


@app.command("import")
def import_(
    source_format: ListFormat,
    files: ListFiles,
    *,
    into: Into,
    territory: OneTerritory = None,
    mapping: MappingFile = None,
    language: ScreenLanguage,
) -> None:
    """Bring a list into a study; says what was kept, merged and set aside, and why."""
    from ecoanalysis.sources import describe_import, import_list

    report = import_list(
        source_format, files, study_path=into, territory_id=territory, mapping=mapping
    )
    for line in describe_import(report, language=use_language(language)):
        out.print(line)


@app.command()
def report(
    studies: StudyPaths,
    territory: Territories = None,
    region: Region = "",
    language: PageLanguage = "all",
    out_folder: PageFolder = Path("reports"),
    jobs: Jobs = None,
    cluster: Cluster = None,
    scenario: ScenarioFile = None,
    *,
    force: Force = False,
) -> None:
    """Make what is new or changed: a report of each territory, a comparison of each study."""
    from ecoanalysis.batch import run_reports

    parameters: dict[str, Path] = {}
    if scenario is not None:
        from ecoanalysis.scoring import read_scenario
        from ecoanalysis.study import read_study

        for study in studies:
            changed = read_scenario(scenario, criteria=read_study(study).codebook.criteria)
        parameters["scenario"] = scenario.resolve()
        if changed.territory and not territory and not region:
            territory = [changed.territory]
    languages = ("fr", "en") if language == "all" else (language,)
    with Progress(console=err) as progress:
        task, counts = progress.add_task("…", total=None), Counter[str]()
        since = time.monotonic()

        def show(done: int, total: int, row: Mapping[str, Any]) -> None:
            counts[row["status"]] += 1
            page = f"{row['study_id']} {row['language']} {row['page']}"
            pace = f"{60 * done / (time.monotonic() - since):.0f} a minute"
            name = f"{done} of {total}, {pace}, {counts['failed']} failed: {page}"
            progress.update(task, completed=done, total=total, description=name)

        try:
            status = run_reports(
                studies, out=out_folder, territories=territory or (), region=region,
                languages=languages, jobs=jobs, cluster=cluster, force=force, parameters=parameters,
                on_progress=show,
            )  # fmt: skip
        except KeyboardInterrupt:
            err.print("Interrupted. The same command goes on from here.")
            raise typer.Exit(130) from None
    _print_status(status)
    for study in studies:
        for code in languages:
            out.print((out_folder / study.resolve().name / code / "index.html").resolve())
    if (status["status"] == "failed").any():
        raise typer.Exit(1)


def _print_status(status: pd.DataFrame) -> None:
    made = status[status["status"] != "current"]
    failed = made[made["status"] == "failed"]
    if len(made):
        columns = ["study_id", "language", "page", "status", "seconds"]
        out.print(made[columns].to_string(index=False, max_rows=SHOWN, na_rep=""))
    if len(made) > SHOWN:
        out.print("… status.csv has all")
    for row in failed.itertuples():
        err.print(f"{row.study_id} {row.language} {row.page}: {row.cause}")
    unchanged = f", {len(status) - len(made)} up to date" if len(made) < len(status) else ""
    out.print(f"{len(made) - len(failed)} pages made, {len(failed)} failed{unchanged}")


@app.command()
def export(study: StudyPath, *, to: To, target: Target = None, language: ScreenLanguage) -> None:
    """Write a whole study for other programs."""
    from ecoanalysis.export import export_study
    from ecoanalysis.study import read_study

    place = export_study(read_study(study), target, to=to, language=use_language(language))
    out.print(place)


def main() -> None:
    """Run the command line and end with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except StudyError as error:
        _print_faults(error.faults, use_language(_guess_language()), console=err)
        sys.exit(1)
    except EcoanalysisError as error:
        err.print(str(error))
        sys.exit(2 if isinstance(error, UsageError) else 1)
