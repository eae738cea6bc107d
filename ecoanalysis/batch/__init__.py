"""Whole studies as pages: planned, made side by side in processes of their own, resumable."""

from ecoanalysis.batch.pages import Limits, Page, make_page
from ecoanalysis.batch.plan import find_notebook, hash_files
from ecoanalysis.batch.run import interrupt_once, run_reports

__all__ = [
    "Limits",
    "Page",
    "find_notebook",
    "hash_files",
    "interrupt_once",
    "make_page",
    "run_reports",
]
