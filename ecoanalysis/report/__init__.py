"""The only stage that makes sentences: sections of a notebook, and the pages made from them."""

from ecoanalysis.report import comparison
from ecoanalysis.report.pages import prepare_pages, render_index, render_page, show_style
from ecoanalysis.report.section import Section
from ecoanalysis.report.territory import (
    show_actors,
    show_header,
    show_method,
    show_motives,
    show_next,
    show_partners,
    show_profile,
    show_readiness,
    show_ties,
)

__all__ = [
    "Section", "comparison", "prepare_pages", "render_index", "render_page", "show_actors",
    "show_header", "show_method", "show_motives", "show_next", "show_partners", "show_profile",
    "show_readiness", "show_style", "show_ties",
]  # fmt: skip
