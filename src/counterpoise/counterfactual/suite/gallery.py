"""The gallery of generated cases: ``python -m counterpoise.counterfactual.suite.gallery docs`` writes it.

A page with a few cases of every suite, over shapes and queries, each with the gold of its stages, and their pictures.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from counterpoise.counterfactual.case import Case, Role
from counterpoise.counterfactual.media import Media
from counterpoise.counterfactual.suite.config import MODALITIES, GenerateConfig, Query, Suite
from counterpoise.counterfactual.suite.draw.shapes import SHAPES
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.suite.render.scene import describe, png
from counterpoise.errors import OutputError
from counterpoise.records import write_atomic

__all__ = ["PAGE", "PICTURES", "gallery", "main"]

PAGE = "gallery.md"
PICTURES = "gallery"
"""Folder of the pictures, beside the page."""

_SEED = 1
_PER_SUITE = 6
_TITLES: dict[Suite, str] = {
    "scm-text": "Stories",
    "scm-math": "Equations",
    "scm-code": "Python functions",
    "scm-image": "Drawn scenes",
}
_INTRODUCTION = """# Gallery of generated cases

Every case is drawn from a structural causal model that is run: the unseen causes that agree with what was observed are
found (abduction), the mechanism of the exposure is replaced (action), and every such world is run again (prediction).
Where several outcomes remain, the answer is "undetermined".

This page is written by the code: `python -m counterpoise.counterfactual.suite.gallery docs`. `counterpoise generate`
writes as many cases as you want.

The four kinds of question:

| query | the outcome |
|---|---|
| `abduction` | is settled only by what was observed of the exposure or its consequences |
| `intervention` | is settled by the intervention and the other observations, and is not known to stay as it was |
| `no-op` | likewise, and it stays as it was |
| `undetermined` | is left open by everything that was observed |

The shapes, with exposure `x` and outcome `y` (from difficulty 3 on there are further causes):

| shape | edges | never observed |
|---|---|---|
"""


def gallery() -> tuple[str, dict[str, bytes]]:
    """The page, and the pictures that it shows by file name."""
    pictures: dict[str, bytes] = {}
    shapes = "\n".join(
        f"| `{shape.name}` | {', '.join(f'{parent} → {child}' for parent, child in shape.edges)} "
        f"| {', '.join(sorted(shape.hidden))} |"
        for shape in SHAPES.values()
    )
    parts = [_INTRODUCTION + shapes]
    for suite in get_args(Suite):
        parts.append(f"## {_TITLES[suite]}: `{suite}`")
        for case in _chosen(suite):
            parts.append(_section(case, pictures))
    return "\n\n".join(parts) + "\n", pictures


def _chosen(suite: Suite) -> Iterator[Case]:
    """Cases of different shapes, the queries in turn, from easy to hard."""
    queries: tuple[Query, ...] = get_args(Query)
    shapes = list(SHAPES)
    # Each suite begins with another shape, so the suites together show all of them.
    offset = 2 * list(MODALITIES).index(suite)
    for number in range(_PER_SUITE):
        shape = shapes[(offset + number) % len(shapes)]
        query = queries[number % len(queries)]
        if shape == "no-path" and query not in ("no-op", "undetermined"):
            query = "no-op"
        config = GenerateConfig(suite=suite, shapes=(shape,), queries=(query,), difficulty=1 + 4 * number // _PER_SUITE)
        yield generate(config, _SEED, number)


def _section(case: Case, pictures: dict[str, bytes]) -> str:
    facets = case.facets
    lines = [f"### {facets['shape']}, {facets['query']}, difficulty {facets['difficulty']}", "", *_quoted(case.context)]
    for media in (one for one in case.media if isinstance(one, Media)):
        name = f"{case.id}.png"
        pictures[name] = png(media)
        lines += ["", f"![{describe(media)}]({PICTURES}/{name})"]
    lines += ["", f"**{case.question}**", "", "| stage | gold |", "|---|---|"]
    lines += [f"| {stage} | {gold} |" for stage, gold in _gold(case)]
    return "\n".join(lines)


def _quoted(text: str) -> Iterator[str]:
    """A block quote that keeps line breaks."""
    fenced = False
    lines = text.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        fenced ^= line.startswith("```")
        broken = line and following and not fenced and not line.startswith("```")
        yield f"> {line}{'<br>' if broken else ''}".rstrip()


def _gold(case: Case) -> Iterator[tuple[str, str]]:
    yield (
        "variables",
        "; ".join(f"{v.role} {v.name}: {'not known' if v.factual is None else v.factual}" for v in case.variables),
    )
    yield "graph", "; ".join(f"{parent} → {child}" for parent, child in case.edges)
    yield "intervention", "; ".join(f"{name} is set to {value}" for name, value in case.intervention.items())
    if case.exogenous:
        yield (
            "abduction",
            "; ".join(f"{e.name}: {e.value} (of {', '.join(e.values.values())})" for e in case.exogenous),
        )
    yield "outcome", "; ".join(f"{v.name}: {v.counterfactual}" for v in case.of_role(Role.MEDIATOR, Role.OUTCOME))
    yield "answer", f"**{case.target}**"


def main(arguments: list[str]) -> None:
    """Write the page and its pictures into a folder, and remove pictures that it no longer shows.

    Raises:
        OutputError: no folder is given, or it cannot be written.
    """
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        raise OutputError("no folder for the gallery", expected="one argument, an existing folder such as docs")
    folder = Path(arguments[0])
    page, pictures = gallery()
    (folder / PICTURES).mkdir(exist_ok=True)
    for old in (folder / PICTURES).glob("scm-image-*.png"):
        if old.name not in pictures:
            old.unlink()
    for name, data in pictures.items():
        write_atomic(folder / PICTURES / name, data)
    write_atomic(folder / PAGE, page)


if __name__ == "__main__":
    main(sys.argv[1:])
