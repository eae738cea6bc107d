"""With whom to work: who can contribute, who must be heard, which groups, whom to introduce.

Unknown is never zero: what nobody was asked about is left out of a score, and its coverage says so.
"""

from ecoanalysis.partners.coalitions import suggest_coalitions, suggest_groups
from ecoanalysis.partners.introductions import find_shortfalls, suggest_introductions
from ecoanalysis.partners.profiles import (
    PARTS,
    RESOURCES,
    STRONG,
    Answers,
    gather_answers,
    suggest_partners,
)

__all__ = [
    "PARTS", "RESOURCES", "STRONG", "Answers", "find_shortfalls", "gather_answers",
    "suggest_coalitions", "suggest_groups", "suggest_introductions",
    "suggest_partners",
]  # fmt: skip
