"""Scoring completions that were made elsewhere: a file of them becomes a diagnosis run.

They go through the parser and scorer of every run. The cases of the dataset are the denominator, whatever the file
holds: a case without a completion is a row that scores 0, and a line without a case is reported and never guessed at.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.baselines.rows import PREFIX, baseline_rows
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.datasets import Loaded, load
from counterpoise.counterfactual.match.registry import DEFAULT
from counterpoise.counterfactual.parse import clean
from counterpoise.counterfactual.score import matcher_for, row
from counterpoise.errors import DataError, UnknownNameError
from counterpoise.lm.protocol import Completion
from counterpoise.records import RunFolder, canonical_json, content_hash, read_numbered, write_atomic

__all__ = ["Line", "Matched", "Unmatched", "match_lines", "read_completions", "score_completions"]

MAX_SHOWN = 5
"""Unmatched lines and unanswered cases that the manifest names."""
NO_COMPLETION = "no completion in the file"
ELSEWHERE = "elsewhere"
"""Prompt version of the rows: which prompt was answered is not known."""

ReportProgress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One completion of a file.

    Attributes:
        number: of the line.
        model: that wrote it.
        completion: its text.
        case_id: of its case; ``None`` where the line says only the question.
        question: its question; ``None`` where the line does not say it.
    """

    number: int
    model: str
    completion: str
    case_id: str | None
    question: str | None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A line whose completion is of no case that is measured, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Matched:
    """How a file and a dataset go together.

    Attributes:
        cases: of the dataset, with gold for the stage: what every model of the file is measured on.
        answered: model to case id to line.
        unmatched: lines that are of none of these cases.
    """

    cases: tuple[Case, ...]
    answered: Mapping[str, Mapping[str, Line]]
    unmatched: tuple[Unmatched, ...]

    @property
    def unanswered(self) -> list[tuple[str, str]]:
        """Model and case id of every case without a completion."""
        return [
            (model, case.id) for model, lines in self.answered.items() for case in self.cases if case.id not in lines
        ]


def read_completions(path: Path) -> list[Line]:
    """The completions of a file, one JSON object a line: ``case_id`` or ``question``, ``completion``, maybe ``model``.

    Other fields are allowed. Without a model, completions are of one that is called like the file.

    Raises:
        DataError: the file cannot be read or holds no line; a line is not a JSON object, or a field is missing or is
            not a text; names the line.
    """
    lines = [_line(path, number, value) for number, value in read_numbered(path)]
    if not lines:
        raise DataError("no completion in the file", where=str(path), expected="one JSON object a line")
    return lines


def _line(path: Path, number: int, value: Mapping[str, Any]) -> Line:
    where = f"{path} line {number}"
    fields: dict[str, str | None] = {}
    for name in ("completion", "case_id", "question", "model"):
        found = value.get(name)
        if name == "case_id" and isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if found is not None and not isinstance(found, str):
            raise DataError(f"{name!r} is a {type(found).__name__}", where=where, expected="a text")
        fields[name] = found if found is None else clean(found)
    completion, case_id, question = fields["completion"], fields["case_id"], fields["question"]
    if completion is None:
        raise DataError("no field 'completion'", where=where, expected="the text that the model wrote")
    if case_id is None and question is None:
        raise DataError("no field 'case_id' or 'question'", where=where, expected="one that names the case")
    model = fields["model"] or path.stem
    if model.startswith(PREFIX):
        raise DataError(f"model {model!r} is called like a baseline", where=where, expected="another name")
    return Line(number, model, completion, case_id, question)


def match_lines(lines: Sequence[Line], loaded: Loaded, stage: Stage) -> Matched:
    """Find the case of every line: by id, else by question.

    A question is compared as a whole, white space aside, with that of the case, alone or after the context. One that
    several cases ask is of none of them; so is a line whose id and question name different cases.

    Raises:
        DataError: no case has gold for the stage; no line of a model is of a case of the dataset; or one case has two
            completions of one model.
    """
    measured = {case.id: case for case in loaded.cases if stage in case.stages}
    if not measured:
        found = {stage for case in loaded.cases for stage in case.stages}
        raise DataError(
            f"no case has gold for stage {str(stage)!r}",
            expected="one of " + ", ".join(stage for stage in Stage if stage in found),
        )
    by_question: dict[str, set[str]] = {}
    for case in loaded.cases:
        for text in (case.question, f"{case.context} {case.question}"):
            by_question.setdefault(_spaced(text), set()).add(case.id)
    faults = {reject.id: f"case {reject.id!r} is rejected: {reject.reason}" for reject in loaded.rejects}
    faults |= {case.id: "" for case in loaded.cases}
    answered: dict[str, dict[str, Line]] = {line.model: {} for line in lines}
    unmatched: list[Unmatched] = []
    for line in lines:
        case_id, reason = _case_of(line, by_question, faults)
        if case_id is not None and case_id not in measured:
            case_id, reason = None, f"case {case_id!r} has no gold for stage {str(stage)!r}"
        if case_id is None:
            unmatched.append(Unmatched(line.number, reason))
            continue
        first = answered[line.model].setdefault(case_id, line)
        if first is not line:
            raise DataError(
                f"two completions of {line.model!r} for case {case_id!r}: lines {first.number} and {line.number}",
                expected="one completion for each case and model",
            )
    reasons = {one.line: one.reason for one in unmatched}
    for model, found_lines in answered.items():
        if not found_lines:
            first = next(line for line in lines if line.model == model)
            raise DataError(
                f"no completion of {model!r} is of a case of the dataset",
                where=f"line {first.number}: {reasons[first.number]}",
                expected=f"case ids such as {next(iter(measured))!r}, or the questions themselves",
            )
    return Matched(tuple(measured.values()), answered, tuple(unmatched))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _case_of(line: Line, by_question: Mapping[str, set[str]], faults: Mapping[str, str]) -> tuple[str | None, str]:
    """The id of the line's case, or ``None`` and why there is none; ``faults`` is empty text for a valid case."""
    asked = by_question.get(_spaced(line.question), set()) if line.question is not None else set()
    if line.case_id is not None and line.case_id in faults:
        if faults[line.case_id]:
            return None, faults[line.case_id]
        if asked and line.case_id not in asked:
            return None, "case_id and question name different cases"
        return line.case_id, ""
    unknown = f"no case has the id {line.case_id!r}" if line.case_id is not None else ""
    if line.question is None:
        return None, unknown
    if len(asked) > 1:
        return None, f"{len(asked)} cases have this question, such as {' and '.join(sorted(asked)[:2])}"
    if not asked:
        return None, f"{unknown} or this question" if unknown else "no case has this question"
    return next(iter(asked)), ""


def score_completions(
    source: Path,
    dataset: str,
    stage: str,
    out: Path,
    *,
    data: Path | None = None,
    progress: ReportProgress = lambda *_: None,
) -> Matched:
    """Score a file of completions and leave a diagnosis run in ``out``.

    Writes ``rows.jsonl``, ``baselines.jsonl`` and ``unmatched.jsonl``: line and reason. The same again changes nothing.

    Args:
        source: the file; see :func:`read_completions`.
        dataset: a registered name, or a file of cases.
        stage: name of the stage that the completions answer.
        out: the run folder.
        data: folder of downloaded datasets.
        progress: called with rows done, rows in all and what they are.

    Raises:
        UnknownNameError: no such dataset or stage.
        DataError: the file, the dataset or how they go together; see :func:`read_completions` and :func:`match_lines`.
        OutputError: the folder is another run's, or cannot be written.
    """
    if stage not in set(Stage):
        raise UnknownNameError("stage", stage, Stage)
    asked = Stage(stage)
    lines = read_completions(source)
    loaded = load(dataset, data)
    matched = match_lines(lines, loaded, asked)
    config = {
        "completions": source.name,
        "content": content_hash(source.read_bytes().hex()),
        "datasets": [dataset],
        "stages": [str(asked)],
        "modes": ["isolated"],
        "matcher": DEFAULT,
        "cases": content_hash([case.hash for case in matched.cases]),
    }
    with RunFolder.open(out, kind="diagnose", config=config) as folder:
        if loaded.rejects:
            folder.warn(f"{dataset}: {len(loaded.rejects)} items rejected; see counterpoise check-gold {dataset}")
        _warn(folder, matched)
        _write(folder, "unmatched.jsonl", ({"line": one.line, "reason": one.reason} for one in matched.unmatched))
        _write_rows(folder, matched, asked, progress)
        folder.complete(
            rows=len(matched.cases) * len(matched.answered),
            cases={dataset: len(loaded.cases)},
            unmatched=len(matched.unmatched),
            unanswered=len(matched.unanswered),
            first_unmatched=[f"line {one.line}: {one.reason}" for one in matched.unmatched[:MAX_SHOWN]],
            first_unanswered=[case_id for _, case_id in matched.unanswered[:MAX_SHOWN]],
        )
    return matched


def _warn(folder: RunFolder, matched: Matched) -> None:
    if matched.unmatched:
        folder.warn(f"lines of the file that are of no case: {len(matched.unmatched)}; see unmatched.jsonl")
    if matched.unanswered:
        folder.warn(f"cases without a completion in the file, which score 0: {len(matched.unanswered)}")


def _write_rows(folder: RunFolder, matched: Matched, stage: Stage, progress: ReportProgress) -> None:
    matcher = matcher_for(matched.cases, DEFAULT)
    habits = Habits(matched.cases)
    floors = (
        one.model_dump(mode="json")
        for case in matched.cases
        for one in baseline_rows(case, (stage,), habits, run=folder.run, matcher=matcher)
    )
    _write(folder, "baselines.jsonl", floors)
    rows = folder.rows(key=lambda one: f"{one['model']}|{one['case_id']}")
    total = len(matched.cases) * len(matched.answered)
    for model, lines in matched.answered.items():
        for case in matched.cases:
            if f"{model}|{case.id}" in rows:
                continue
            line = lines.get(case.id)
            completion = (
                Completion(text=line.completion) if line else Completion(text="", finish="error", error=NO_COMPLETION)
            )
            scored = row(case, stage, completion, run=folder.run, model=model, matcher=matcher)
            rows.append(scored.model_copy(update={"prompt_version": ELSEWHERE}))
            progress(len(rows), total, f"score {folder.manifest.config['completions']}")


def _write(folder: RunFolder, name: str, values: Iterable[dict[str, Any]]) -> None:
    write_atomic(folder.path / name, "".join(canonical_json(value) + "\n" for value in values))
