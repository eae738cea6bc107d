"""The command line: the only place that prints and that ends with an exit code.

0 all well, 1 faults in a study or failed pages, 2 a call that cannot be served.
"""

from __future__ import annotations

import json
import locale
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

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
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

SHOWN = 50  # rows of a table on the screen

StudyPath = Annotated[Path, typer.Argument(help="Folder of the study.", show_default=False)]


def _guess_language() -> str:
    return "fr" if (locale.getlocale()[0] or "").lower().startswith("fr") else "en"


ScreenLanguage = Annotated[
    str,
    typer.Option(
        "--language", default_factory=_guess_language, help="Language of the messages: fr or en."
    ),
]


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    language: ScreenLanguage,
) -> None:
    """Start a study: a workbook with one sheet a table, and a descriptor."""
    from ecoanalysis.study import new_study

    lang = use_language(language)
    new_study(folder)
    out.print(lang.gettext("Made %(folder)s.") % {"folder": folder}, markup=False)
    out.print(
        lang.gettext(
            "Fill the sheets territories and actors of study.xlsx, then run: "
            "ecoanalysis check %(folder)s"
        )
        % {"folder": folder},
        markup=False,
    )


@app.command()
def check(
    study: StudyPath,
    *,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every fault to this file.")
    ] = None,
    language: ScreenLanguage,
) -> None:
    """Check a study: every fault with its file, row, field and mend."""
    from ecoanalysis.pipeline import review_study

    lang = use_language(language)
    faults = review_study(study)
    if json_file:
        records = json.loads(faults.to_json(orient="records", force_ascii=False))
        text = json.dumps({"study": str(study), "faults": records}, ensure_ascii=False, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")
    _print_faults(faults, lang, console=out)
    if (faults["severity"] == "refusal").any():
        raise typer.Exit(1)


def _print_faults(faults: pd.DataFrame, lang: Language, *, console: Console) -> None:
    from ecoanalysis.study import describe_faults

    for line in describe_faults(faults, language=lang):
        console.print(line, markup=False)
    n_refusals = int((faults["severity"] == "refusal").sum())
    n_warnings = len(faults) - n_refusals
    refusals = lang.ngettext("%(n)s fault", "%(n)s faults", n_refusals) % {"n": n_refusals}
    warnings = lang.ngettext("%(n)s warning", "%(n)s warnings", n_warnings) % {"n": n_warnings}
    console.print(f"{refusals}, {warnings}", markup=False)


@app.command()
def match(study: StudyPath, *, language: ScreenLanguage) -> None:
    """Unite what the review file calls the same; propose in it what else may be."""
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
        indent = "" if row["change"] == "united" else "  "
        out.print(indent + sentences[row["change"]] % row, markup=False)
    counts = matches["decision"].value_counts()
    apart, waiting = int(counts.get("different", 0)), int(counts.get("", 0))
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
            out.print(line % {"n": n, "file": study / MATCHES}, markup=False)
    if not waiting:
        out.print(lang.gettext("No pair waits for a decision."), markup=False)


@app.command("import")
def import_(
    source_format: Annotated[
        Literal["geojson", "table", "gexf", "graphml"],
        typer.Argument(metavar="FORMAT", show_default=False),
    ],
    files: Annotated[list[Path], typer.Argument(help="Files of one list.", show_default=False)],
    *,
    into: Annotated[Path, typer.Option("--into", help="Folder of the study.")],
    territory: Annotated[
        str | None, typer.Option("--territory", help="The territory that every row belongs to.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="YAML file that says what each column is.")
    ] = None,
    language: ScreenLanguage,
) -> None:
    """Bring a list into a study; says what was kept, merged and set aside, and why."""
    from ecoanalysis.sources import describe_import, import_list

    report = import_list(
        source_format, files, study_path=into, territory_id=territory, mapping=mapping
    )
    for line in describe_import(report, language=use_language(language)):
        out.print(line, markup=False)


@app.command()
def report(
    studies: Annotated[list[Path], typer.Argument(help="Folders of studies.", show_default=False)],
    territory: Annotated[
        list[str] | None, typer.Option("--territory", help="Only this territory; may be repeated.")
    ] = None,
    region: Annotated[
        str, typer.Option("--region", help="Only the territories of this region, compared.")
    ] = "",
    language: Annotated[
        Literal["fr", "en", "all"], typer.Option("--language", help="Language of the pages.")
    ] = "all",
    out_folder: Annotated[Path, typer.Option("--out", help="Folder of the pages.")] = Path(
        "reports"
    ),
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Pages made side by side.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Address of a Dask scheduler.")
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="YAML file of other weights and coverage.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also what is up to date.")] = False,
) -> None:
    """Make what is new or changed: a report of each territory, a comparison of each study."""
    from ecoanalysis.batch import interrupt_once, run_reports

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
    failures = TextColumn("{task.fields[failed]} failed")
    pace = TextColumn("{task.fields[rate]} a minute")
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*shown, pace, TimeRemainingColumn(), failures, console=err) as progress:
        task = progress.add_task("…", total=None, failed=0, rate="–")
        state = {"failed": 0, "since": time.monotonic()}

        def show(done: int, total: int, row: Mapping[str, Any]) -> None:
            state["failed"] += row["status"] == "failed"
            rate = f"{60 * done / (time.monotonic() - state['since']):.0f}"
            name = f"{row['study_id']} {row['language']} {row['page']}"
            progress.update(
                task, completed=done, total=total, description=name, rate=rate,
                failed=state["failed"],
            )  # fmt: skip

        before = signal.signal(signal.SIGINT, interrupt_once)
        try:
            status = run_reports(
                studies, out=out_folder, territories=territory or (), region=region,
                languages=languages, jobs=jobs, cluster=cluster, force=force, parameters=parameters,
                on_progress=show,
            )  # fmt: skip
        except KeyboardInterrupt:
            err.print("Interrupted. The same command goes on from here.")
            raise typer.Exit(130) from None
        signal.signal(signal.SIGINT, before)
    _print_status(status)
    for study in studies:
        for code in languages:
            page = out_folder / study.resolve().name / code / "index.html"
            out.print(str(page.resolve()), markup=False)
    if (status["status"] == "failed").any():
        raise typer.Exit(1)


def _print_status(status: pd.DataFrame) -> None:
    made = status[status["status"] != "current"]
    table = Table("study", "language", "page", "status", "seconds", box=None, pad_edge=False)
    cells = made[["study_id", "language", "page", "status", "seconds"]].astype("str").fillna("")
    for row in cells.head(SHOWN).itertuples(index=False):
        table.add_row(*map(str, row))
    if len(made):
        out.print(table)
    if len(made) > SHOWN:
        out.print(f"… and {len(made) - SHOWN} more; status.csv has all", markup=False)
    failed = status[status["status"] == "failed"]
    for row in failed.itertuples():
        err.print(f"{row.study_id} {row.language} {row.page}: {row.cause}", markup=False)
    n_made = len(made) - len(failed)
    unchanged = f", {len(status) - len(made)} up to date" if len(made) < len(status) else ""
    out.print(f"{n_made} pages made, {len(failed)} failed{unchanged}", markup=False)


@app.command()
def export(
    study: StudyPath,
    *,
    to: Annotated[Literal["xlsx", "parquet"], typer.Option("--to", help="Format to write.")],
    target: Annotated[
        Path | None, typer.Option("--out", help="File (xlsx) or new folder (parquet) to write.")
    ] = None,
    language: ScreenLanguage,
) -> None:
    """Write a whole study for other programs."""
    from ecoanalysis.export import export_parquet, export_xlsx
    from ecoanalysis.study import read_study

    place = target or Path(f"{study.resolve().name}{'.xlsx' if to == 'xlsx' else '-parquet'}")
    if to == "xlsx":
        export_xlsx(read_study(study), place, language=use_language(language))
    else:
        export_parquet(read_study(study), place)
    out.print(str(place), markup=False)


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
        err.print(str(error), markup=False)
        sys.exit(2 if isinstance(error, UsageError) else 1)
