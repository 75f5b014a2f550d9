"""Pairs of texts with the label that people gave them: whether they mean the same."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from counterpoise.counterfactual.match.pair import Pair
from counterpoise.errors import DataError

__all__ = ["Label", "LabelledPair", "read_pairs", "shipped_pairs"]

Label = Literal["same", "different"]


class LabelledPair(BaseModel):
    """A pair with its labels; a line of ``pairs.jsonl``.

    Attributes:
        id: unique within the file.
        kind: ``name`` of a variable, or ``value`` of one.
        gold: the gold text.
        text: what a model might have written.
        about: of a value, the name of its variable; empty for names.
        aliases: other texts that the gold accepts.
        family: how the pair was thought up, for instance ``negation``; empty when unknown. No matcher sees it.
        label: what holds.
        label_a: of the first labelling; ``None`` where there was just one.
        label_b: of the second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: Literal["name", "value"]
    gold: str
    text: str
    about: str = ""
    aliases: tuple[str, ...] = ()
    family: str = ""
    label: Label
    label_a: Label | None = None
    label_b: Label | None = None

    @property
    def pair(self) -> Pair:
        """What a matcher is asked."""
        return Pair(self.kind, self.gold, self.text, self.aliases, (self.about,) if self.about else ())


@cache
def shipped_pairs() -> tuple[LabelledPair, ...]:
    """The pairs that come with the package; ``PAIRS.md`` beside them says how they were made."""
    file = resources.files("counterpoise.counterfactual.match") / "pairs.jsonl"
    return tuple(LabelledPair.model_validate_json(line) for line in file.read_text(encoding="utf-8").splitlines())


def read_pairs(file: Path) -> list[LabelledPair]:
    """Labelled pairs from a file of JSON lines.

    Raises:
        DataError: the file cannot be read, a line is no labelled pair, an id occurs twice, or there is no line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read labelled pairs: {error}", where=str(file)) from error
    pairs: list[LabelledPair] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            pairs.append(LabelledPair.model_validate_json(line))
        except ValidationError as error:
            raise DataError(
                f"not a labelled pair: {_problem(error)}",
                where=f"{file} line {number}",
                expected='{"id", "kind": "name" or "value", "gold", "text", "label": "same" or "different"}',
            ) from error
    _check_ids(pairs, file)
    return pairs


def _check_ids(pairs: Sequence[LabelledPair], file: Path) -> None:
    if not pairs:
        raise DataError("no labelled pairs", where=str(file))
    seen: set[str] = set()
    for pair in pairs:
        if pair.id in seen:
            raise DataError(f"id {pair.id!r} occurs twice", where=str(file))
        seen.add(pair.id)


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}" if first["loc"] else str(first["msg"])
