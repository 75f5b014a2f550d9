"""The curation table: what became of the texts of one run."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from counterpoise.curation.words import phrase_in
from counterpoise.report.folders import Run
from counterpoise.report.lines import CurationLine, Failures
from counterpoise.rng import seed_for
from counterpoise.statistics import Estimate, cluster_bootstrap, mean, wilson

__all__ = ["curation_line", "median_change"]

_RESAMPLES = 2000


def curation_line(run: Run) -> CurationLine:
    """Tabulate a curation run that has rows."""
    rows = run.rows
    revised = [row for row in rows if row.revised is not None]
    pairs = tuple(
        (float(row.perplexity_before), float(row.perplexity_after))
        for row in revised
        if _finite(row.perplexity_before) and _finite(row.perplexity_after)
    )
    rated = [row for row in revised if _finite(row.helpfulness)]
    rounds = [entry for row in rows for entry in row.rounds]
    rejected: Counter[str] = Counter()
    for entry in rounds:
        rejected.update(entry.rejected)
    unscored = sum(row.status == "unscored" for row in rows)
    target = run.manifest.config.get("target")
    found = [phrase_in(keyword, row.revised) for row in revised for keyword in row.keywords]
    return CurationLine(
        run=run.id,
        model=rows[0].model,
        target=str(target.get("name", "")) if isinstance(target, dict) else "",
        objective=rows[0].objective,
        texts=len(rows),
        passed=wilson(len(revised), len(rows) - unscored),
        before=float(np.median([pair[0] for pair in pairs])) if pairs else None,
        after=float(np.median([pair[1] for pair in pairs])) if pairs else None,
        change=median_change(pairs),
        helpfulness=cluster_bootstrap([(row.helpfulness, 1.0) for row in rated], [row.text_id for row in rated], mean),
        candidates=sum(entry.candidates for entry in rounds),
        judged=sum(entry.judged for entry in rounds),
        rejected=tuple(rejected.most_common()),
        keyword_coverage=cluster_bootstrap(
            [(float(hit), 1.0) for hit in found], [row.text_id for row in revised for _ in row.keywords], mean
        ),
        keywords=len({keyword.casefold() for row in rows for keyword in row.keywords}),
        failures=Failures(
            parse_failed=sum(row.status == "parse_failed" for row in rows),
            model_failed=sum(row.status == "model_failed" for row in rows),
            unscored=unscored,
        ),
        pairs=pairs,
    )


def median_change(pairs: Sequence[tuple[float, float]]) -> Estimate:
    """Median of the second values less median of the first, with a 95 % percentile interval.

    Pairs are resampled as pairs, so what both sides share cancels. Without pairs there is no value; with one pair the
    bounds are the value itself.

    >>> print(median_change([(2.0, 3.0), (4.0, 5.0), (9.0, 10.0)]))
    1.000 [1.000, 1.000] (n=3)
    """
    n = len(pairs)
    if n == 0:
        return Estimate(None, None, None, 0, 0)
    values = np.asarray(pairs, dtype=np.float64)
    draws = np.random.default_rng(seed_for(0, "median change", n)).integers(n, size=(_RESAMPLES, n))
    medians = np.median(values[draws], axis=1)
    low, high = np.quantile(medians[:, 1] - medians[:, 0], [0.025, 0.975])
    first, second = np.median(values, axis=0)
    return Estimate(float(second - first), float(low), float(high), n, n)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
