"""Generated cases in a file: one case a line, for use without this package."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case
from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.errors import ConfigError, OutputError
from counterpoise.records import canonical_json, write_atomic

__all__ = ["Written", "suite_lines", "write_suite"]


@dataclass(frozen=True, slots=True)
class Written:
    """What a file of cases holds.

    Attributes:
        out: the file.
        suite: name of the suite.
        seed: of the suite.
        cases: how many.
        shapes: number of cases of each shape, in alphabetical order.
        queries: likewise.
        changed: whether the file was written; false where it held the same already.
    """

    out: Path
    suite: str
    seed: int
    cases: int
    shapes: dict[str, int]
    queries: dict[str, int]
    changed: bool

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "out": str(self.out),
            "suite": self.suite,
            "seed": self.seed,
            "cases": self.cases,
            "shapes": self.shapes,
            "queries": self.queries,
            "changed": self.changed,
        }

    def __str__(self) -> str:
        counts = (", ".join(f"{name} {count}" for name, count in part.items()) for part in (self.shapes, self.queries))
        done = "wrote" if self.changed else "unchanged:"
        return f"{done} {self.cases} cases of {self.suite}, seed {self.seed}, in {self.out}: {'; '.join(counts)}"


def suite_lines(config: GenerateConfig, seed: int, n: int) -> tuple[list[Case], str]:
    """The first ``n`` cases of a suite, and the text of their file.

    Raises:
        ConfigError: ``n`` is less than 1.
        RunError: a case could not be drawn.
    """
    if n < 1:
        raise ConfigError(f"{n} cases", expected="at least 1")
    cases = [generate(config, seed, index) for index in range(n)]
    return cases, "".join(canonical_json(case.model_dump(mode="json")) + "\n" for case in cases)


def write_suite(config: GenerateConfig, out: Path, *, seed: int, n: int) -> Written:
    """Write the first ``n`` cases of a suite to a file, in one step.

    A file that holds exactly these cases already is left alone; any other file is not overwritten.

    Raises:
        ConfigError: ``n`` is less than 1.
        OutputError: the file exists with other content, or cannot be written.
        RunError: a case could not be drawn.
    """
    if out.is_dir():
        raise OutputError(f"{out} is a folder", expected="a file to write", fix=f"for instance {out / 'cases.jsonl'}")
    if not out.parent.is_dir():
        raise OutputError(f"no folder {out.parent}", fix="create it first")
    cases, text = suite_lines(config, seed, n)
    same = False
    if out.exists():
        try:
            same = out.read_bytes() == text.encode()
        except OSError as error:
            raise OutputError(f"cannot read {out}: {error.strerror or error}") from error
        if not same:
            raise OutputError(f"{out} exists and holds something else", fix="choose another file or remove it")
    if not same:
        write_atomic(out, text)
    counts = {facet: Counter(case.facets[facet] for case in cases) for facet in ("shape", "query")}
    return Written(
        out=out,
        suite=config.suite,
        seed=seed,
        cases=n,
        shapes=dict(sorted(counts["shape"].items())),
        queries=dict(sorted(counts["query"].items())),
        changed=not same,
    )
