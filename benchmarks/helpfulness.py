"""How well the judges of helpfulness tell good revisions from bad ones; writes its section of docs/helpfulness.md."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import rankdata

from counterpoise.curation.gates import Gates, failed_gate
from counterpoise.curation.helpfulness import Helpfulness, Judge, ModelJudge, Rating
from counterpoise.curation.helpfulness.labelled import GOOD, KINDS, Labelled, labelled_revisions, separation
from counterpoise.lm.embedding import open_embedder
from counterpoise.lm.names import open_model
from counterpoise.statistics import Estimate, Floats, cluster_bootstrap

PAGE = Path(__file__).parent.parent / "docs" / "helpfulness.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"
THRESHOLD = 0.75
"""The curation's default for ``min_helpfulness``."""


def spearman(labelled: Sequence[Labelled], first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Rank correlation with a bootstrap interval over texts; the ranks are those of the whole sample throughout."""
    x, y = rankdata(first), rankdata(second)
    columns = [(1.0, a, b, a * a, b * b, a * b) for a, b in zip(x / len(x), y / len(y), strict=True)]

    def halved(sums: Floats) -> Floats:
        n, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = (n * ab - a * b) / np.sqrt((n * aa - a * a) * (n * bb - b * b))
        # The bootstrap is made for values in [0, 1].
        return (1 + correlation) / 2

    found = cluster_bootstrap(columns, [one.text for one in labelled], halved)
    if found.value is None or found.low is None or found.high is None:
        return found
    return Estimate(2 * found.value - 1, 2 * found.low - 1, 2 * found.high - 1, found.n, found.clusters)


def shown(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "undefined"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def judge_table(labelled: Sequence[Labelled], ratings: Sequence[Rating]) -> list[str]:
    """One line per kind; the separation of the bad ones by every criterion, and by the total with its interval."""
    values = {name: [rating.criteria.get(name, 0.0) for rating in ratings] for name in ratings[0].criteria}
    totals = [rating.total for rating in ratings]
    lines = [
        f"| what was done | median total | at least {THRESHOLD:g} | {' | '.join(values)} | total |",
        f"|---|---:|---:|{'---:|' * len(values)}---|",
    ]
    for kind in (*KINDS, None):
        own = [total for one, total in zip(labelled, totals, strict=True) if one.kind == kind or kind is None]
        line = f"| {kind or 'all'} | {median(own):.2f} | {sum(total >= THRESHOLD for total in own)} of {len(own)} |"
        if kind in GOOD:
            lines.append(f"{line}{' |' * (len(values) + 1)}")
            continue
        among = [place for place, one in enumerate(labelled) if one.good or one.kind == kind or kind is None]
        told = {
            name: separation([labelled[place] for place in among], [column[place] for place in among])
            for name, column in {**values, "total": totals}.items()
        }
        single = " | ".join(f"{told[name].value:.2f}" for name in values)
        lines.append(f"{line} {single} | {shown(told['total'])} |")
    return lines


def section(judges: Sequence[Judge], options: argparse.Namespace) -> str:
    labelled = labelled_revisions()
    examined = []
    for judge in judges:
        begun = time.perf_counter()
        examined.append((judge, judge([one.item for one in labelled]), time.perf_counter() - begun))
        print(f"{judge.name}: {examined[-1][2]:.0f} s", file=sys.stderr, flush=True)
    texts = len({one.text for one in labelled})
    refused = Counter(one.kind for one in labelled if failed_gate(one.item[2], one.item[1], (), Gates()))
    lines = [
        f"`python benchmarks/helpfulness.py --model {options.model}`, {datetime.now(UTC):%Y-%m-%d}: {len(labelled)} "
        f"revisions of {texts} texts, one of each kind. Under each criterion: how often a good revision has the higher "
        "value than one of that kind (0.5 is chance); under *total* with its 95 % bootstrap interval over texts.",
        "",
        f"Refused by the gates before any judge sees them, of {texts} each: "
        + ", ".join(f"{kind} {refused[kind]}" for kind in KINDS)
        + ".",
    ]
    for judge, ratings, seconds in examined:
        failed = sum(rating.failed is not None for rating in ratings)
        read, written = (sum(getattr(rating, name) for rating in ratings) for name in ("input_tokens", "output_tokens"))
        different = len({rating.total for rating in ratings})
        lines += ["", f"### {judge.name}", "", *judge_table(labelled, ratings), ""]
        lines.append(
            f"Without a rating: {failed}. Different totals: {different}. {seconds:.0f} s, {read:,} tokens read, "
            f"{written:,} written."
        )
    first, second = examined[0][1], examined[1][1]
    agreement = spearman(labelled, [rating.total for rating in first], [rating.total for rating in second])
    lines += ["", f"Spearman's rank correlation of the two judges' totals: {shown(agreement)} (n={agreement.n})."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="embedded/smollm2", help="the judge that is compared with the offline one")
    parser.add_argument("--dry", action="store_true", help="print the section, leave the page alone")
    options = parser.parse_args()
    text = section([Helpfulness(open_embedder("embedded/minilm")), ModelJudge(open_model(options.model))], options)
    print(text)
    if not options.dry:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN, 1)
        PAGE.write_text(before + BEGIN + text + END + rest.split(END, 1)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
