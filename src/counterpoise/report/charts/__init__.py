"""Charts as inline SVG, a module for each part of the page that shows them."""

from counterpoise.report.charts.attribution import dumbbells, waterfalls
from counterpoise.report.charts.curation import perplexity_slopes
from counterpoise.report.charts.customization import rate_dots
from counterpoise.report.charts.elicitation import cost_panels
from counterpoise.report.charts.mistakes import role_matrices, wrong_edges
from counterpoise.report.charts.stages import heat_map, stage_intervals

__all__ = [
    "cost_panels",
    "dumbbells",
    "heat_map",
    "perplexity_slopes",
    "rate_dots",
    "role_matrices",
    "stage_intervals",
    "waterfalls",
    "wrong_edges",
]
