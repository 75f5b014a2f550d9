"""What a curation hands on: the curated set in several forms, its card, and snippets that train on it."""

from counterpoise.curation.export.card import dataset_card
from counterpoise.curation.export.forms import FILES, curated_line, prompt_completion_line
from counterpoise.curation.export.numbers import Numbers, moved
from counterpoise.curation.export.review import Only
from counterpoise.curation.export.run import Exported, export_run
from counterpoise.curation.export.write import export

__all__ = [
    "FILES",
    "Exported",
    "Numbers",
    "Only",
    "curated_line",
    "dataset_card",
    "export",
    "export_run",
    "moved",
    "prompt_completion_line",
]
