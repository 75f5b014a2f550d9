"""Charts as inline SVG, a module for each part of the page that shows them."""

from counterpoise.report.charts.attribution import dumbbells, waterfalls
from counterpoise.report.charts.curation import perplexity_slopes
from counterpoise.report.charts.curves import curve_panels
from counterpoise.report.charts.elicitation import cost_panels
from counterpoise.report.charts.gaps import gap_panels
from counterpoise.report.charts.mistakes import role_matrices, wrong_edges
from counterpoise.report.charts.pareto import pareto_chart
from counterpoise.report.charts.rates import rate_panels
from counterpoise.report.charts.reasoning import reasoning_panels
from counterpoise.report.charts.stages import heat_map, stage_intervals

__all__ = [
    "cost_panels",
    "curve_panels",
    "dumbbells",
    "gap_panels",
    "heat_map",
    "pareto_chart",
    "perplexity_slopes",
    "rate_panels",
    "reasoning_panels",
    "role_matrices",
    "stage_intervals",
    "waterfalls",
    "wrong_edges",
]
