"""HumanEval-Exe: what a program would return if the language counted positions from 1.

Source of the programs: Chen et al., "Evaluating Large Language Models Trained on Code" (2021), 164 Python functions
with tests; preferably in the copy of Wu et al., "Reasoning or Reciting? Exploring the Capabilities and Limitations of
Language Models Through Counterfactual Tasks" (NAACL 2024), where the loops of two tests are written out. Neither file
holds answers for positions from 1: every value here comes from running the program in both worlds, in a sandbox, see
:mod:`counterpoise.counterfactual.programs`. The other world is Wu et al.'s language, stated in
:mod:`~counterpoise.counterfactual.programs.positions` and in every question.

A case is one call that stands in an assertion of the test, with constants for arguments. The program is shown without
its docstrings, whose examples are results for positions from 0. Mediators are the values of the first expressions that
read an element or a slice, each when it was first evaluated; at most three, of those that were evaluated in both
worlds, are short, and depend on the exposure: they used a position of 0 or more, or differ. The graph is that of one
call: the exposure and the arguments act on each mediator and each mediator on the return value; one mediator acts on
another where its expression is a part of the other's; the arguments act on the return value; so does the exposure,
unless the call used no position but for the mediators.

Calls that cannot be used are rejected with the reason: programs that the sandbox refuses; arguments that are not
constants; what does not return, returns otherwise with another hash seed, or not what its assertion says; a call that
uses position 0 when positions begin with 1, where Wu et al. leave the language undefined, even if the program catches
the error; long texts; ``None``, which cannot be told from a missing answer; and calls without any position. A call that
reads with negative or omitted positions only is a case with an answer but without stages, as the exposure acts on
nothing. Of what remains, at most :data:`PER_PROGRAM` calls of a program become cases: two whose value changes and one
whose value does not, as far as there are such; those with mediators first, then the shortest.
"""

import ast
import gzip
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case, Edge, ProgramExecution, Role, Variable
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.datasets.source_text import as_object, json_lines, json_value, text_field
from counterpoise.counterfactual.programs import REWRITE, Program, Rewritten, Run, World, refusal, rewrite, run_programs
from counterpoise.counterfactual.programs.admission import parsed
from counterpoise.counterfactual.programs.calls import Call, asserted_calls
from counterpoise.counterfactual.programs.indexing import without_docstrings
from counterpoise.errors import DataError
from counterpoise.records import content_hash

__all__ = ["DATASET", "PER_PROGRAM", "case_id", "read"]

PER_PROGRAM = 3
"""How many calls of a program become cases, at most."""

_MEDIATORS = 3
_CHARACTERS = 200
"""Longest text of the arguments and of a return value."""
_EXPRESSION_CHARACTERS = 60
_EXPOSURE, _ARGUMENTS, _RESULT = "index of the first element", "arguments", "return value"
_TASK = re.compile(r"[\w.-]+/(\d+)")
_LARGEST = 64 * 2**20


def case_id(task: str, call: str) -> str:
    """The id of a call of a task.

    >>> case_id("HumanEval/7", "f([1])").rsplit("-", 1)[0]
    'humaneval-exe-7'
    """
    return f"humaneval-exe-{task.rsplit('/', 1)[-1]}-{content_hash(call, length=10)}"


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first file that the data folder has and run its programs, or take what is known of them.

    Returns:
        The cases, the first of each program before the second, and so on; and the calls and programs that cannot be
        used. Calls beyond :data:`PER_PROGRAM` are neither.

    Raises:
        DataError: there is no file, or it is malformed; names file and line.
        RunError: no process can be started.
    """
    for file in _FILES:
        if data is not None and (path := data / file).is_file():
            return _cases(path, _REVISIONS[file])
    raise DataError("no HumanEval file", where=str(data), expected=" or ".join(_FILES))


@dataclass(frozen=True, slots=True)
class _Item:
    """A program that is run, with the calls that are asked of it."""

    task: str
    entry_point: str
    rewritten: Rewritten
    program: Program
    calls: tuple[Call, ...]

    def id(self, call: Call) -> str:
        return case_id(self.task, f"{self.entry_point}({call.arguments})")


def _cases(path: Path, revision: str) -> tuple[list[Case], list[Reject]]:
    items: list[_Item] = []
    rejects: list[Reject] = []
    for task, fields in _records(path, rejects):
        item = _item(task, fields, rejects)
        if isinstance(item, str):
            rejects.append(Reject(f"humaneval-exe-{task.rsplit('/', 1)[-1]}", f"the program {item}"))
        elif item.calls:
            items.append(item)
    chosen = [
        _chosen(item, runs, revision, rejects)
        for item, runs in zip(items, run_programs([item.program for item in items]), strict=True)
    ]
    return [case for cases in zip_longest(*chosen) for case in cases if case is not None], rejects


def _records(path: Path, rejects: list[Reject]) -> Iterator[tuple[str, dict[str, str]]]:
    """The tasks of a file with their fields; a second record of a task is rejected."""
    seen: dict[str, str] = {}
    for where, record in _lines(path):
        fields = {name: text_field(record, name, where) for name in _FIELDS}
        task = fields["task_id"]
        number = _TASK.fullmatch(task)
        if number is None:
            raise DataError(f"field 'task_id' is {task[:40]!r}", where=where, expected="such as HumanEval/0")
        if number[1] in seen:
            reason = f"the same task occurs twice ({where.removeprefix(f'{path} ')}, first {seen[number[1]]})"
            rejects.append(Reject(f"humaneval-exe-{number[1]}", reason))
            continue
        seen[number[1]] = where.removeprefix(f"{path} ")
        yield task, fields
    if not seen:
        raise DataError("the file has no tasks", where=str(path), fix="the file may be cut off; get it again")


_FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a file, which may be packed with gzip, each with where it stands."""
    if path.suffix != ".gz":
        yield from json_lines(path)
        return
    try:
        with gzip.open(path) as file:
            raw = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            "the file cannot be unpacked", where=str(path), expected="gzip", fix="it may be cut off; get it again"
        ) from error
    if len(raw) > _LARGEST:
        raise DataError("the file is too large", where=str(path), expected=f"at most {_LARGEST} bytes, unpacked")
    for number, line in enumerate(raw.split(b"\n"), start=1):
        where = f"{path} line {number}"
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("file is not UTF-8 text", where=where, fix="re-encode it as UTF-8") from error
        if text.strip():
            yield where, as_object(json_value(text, path, number), where)


def _item(task: str, fields: Mapping[str, str], rejects: list[Reject]) -> _Item | str:
    """A task with the calls that are run, or why there is none; calls that are not run are rejected."""
    with warnings.catch_warnings():
        # Of the programs' own making: a backslash that escapes nothing, say.
        warnings.simplefilter("ignore")
        tree = parsed(fields["prompt"] + fields["canonical_solution"])
        if isinstance(tree, str):
            return tree
        entry_point = fields["entry_point"]
        if reason := refusal(tree, entry_point):
            return reason
        test = parsed(fields["test"])
        if isinstance(test, str):
            return f"has a test that {test}"
        try:
            text = without_docstrings(fields["prompt"] + fields["canonical_solution"])
            rewritten = rewrite(text)
        except RecursionError:
            return "is nested too deeply"
    found = asserted_calls(test)
    if not found:
        return "has a test that asserts nothing of a call"
    calls: dict[str, Call] = {}
    for call in found:
        identity = case_id(task, f"{entry_point}({call.arguments})")
        if not call.constant:
            rejects.append(Reject(identity, "the arguments are not constants"))
        elif not call.arguments:
            rejects.append(Reject(identity, "the call has no arguments"))
        elif len(call.arguments) > _CHARACTERS:
            rejects.append(Reject(identity, f"the arguments are longer than {_CHARACTERS} characters"))
        elif call.arguments in calls:
            rejects.append(Reject(identity, "the same call occurs twice"))
        else:
            calls[call.arguments] = call
    program = Program(text, rewritten.text, tuple(f"{entry_point}({arguments})" for arguments in calls))
    return _Item(task, entry_point, rewritten, program, tuple(calls.values()))


def _chosen(item: _Item, runs: Sequence[Run], revision: str, rejects: list[Reject]) -> list[Case]:
    """The cases of a program; calls that cannot be used are rejected."""
    kinds: dict[str, list[tuple[Call, World, World]]] = {"changed": [], "same": [], "unaffected": []}
    for call, run in zip(item.calls, runs, strict=True):
        if reason := _fault(call, run):
            rejects.append(Reject(item.id(call), reason))
            continue
        # They are there where there is no fault.
        assert run.factual is not None
        assert run.counterfactual is not None
        uses = run.factual.uses or run.counterfactual.uses
        effect = "changed" if run.factual.text != run.counterfactual.text else "same"
        kinds[effect if uses else "unaffected"].append((call, run.factual, run.counterfactual))
    for found in kinds.values():
        found.sort(key=lambda one: (not _mediators(item.rewritten.expressions, *one[1:]), *_order(one[0])))
    first = kinds["changed"][: PER_PROGRAM - 1] + kinds["same"][:1]
    more = kinds["changed"][PER_PROGRAM - 1 :] + kinds["same"][1:] + kinds["unaffected"][:1]
    return [_case(item, *one, revision) for one in (first + more)[:PER_PROGRAM]]


def _order(call: Call) -> tuple[int, str]:
    return len(call.arguments), call.arguments


def _fault(call: Call, run: Run) -> str | None:
    """Why a call cannot be used, or ``None``."""
    if run.original.status != "returned":
        return f"the call {run.original.reason}"
    factual, counterfactual = run.factual, run.counterfactual
    if factual is None or factual.status != "returned" or factual.text != run.original.text:
        return "the rewritten program does not return what the program returns"
    try:
        value = ast.literal_eval(factual.text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "the return value is no literal"
    if not call.agrees(value):
        return "the call does not return what its test says"
    if counterfactual is None or counterfactual.status != "returned":
        return f"with positions from 1 the call {counterfactual.reason if counterfactual else 'does not return'}"
    if max(len(factual.text), len(counterfactual.text)) > _CHARACTERS:
        return f"a return value is longer than {_CHARACTERS} characters"
    if "None" in (factual.text, counterfactual.text):
        return "a return value is None, which cannot be told from a missing answer"
    try:
        ast.literal_eval(counterfactual.text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "the return value is no literal"
    if not run.positions:
        return "the call uses no positions"
    return None


def _case(item: _Item, call: Call, factual: World, counterfactual: World, revision: str) -> Case:
    mediators = _mediators(item.rewritten.expressions, factual, counterfactual)
    values = {name: (before, after) for name, before, after in mediators.values()}
    values[_RESULT] = (factual.text, counterfactual.text)
    affected = bool(factual.uses or counterfactual.uses)
    shown = f"{item.entry_point}({call.arguments})"
    return Case(
        id=item.id(call),
        dataset="humaneval-exe",
        modality="code",
        context=_context(item, shown, factual.text, mediators),
        question=_QUESTION.format(call=shown),
        answer_kind="literal",
        variables=_variables(call, values) if affected else (),
        edges=_edges(item, mediators, factual, counterfactual) if affected else (),
        intervention={_EXPOSURE: "1"} if affected else {},
        target=counterfactual.text,
        gold_kind="executed",
        source=_SOURCE,
        revision=revision,
        cluster=item.task,
        facets={
            "effect": "changed" if factual.text != counterfactual.text else "same",
            "positions": "used" if affected else "unaffected",
            "mediators": str(len(mediators)),
        },
        execution=ProgramExecution(
            program=item.program.text,
            entry_point=item.entry_point,
            arguments=call.arguments,
            rewrite=REWRITE,
            values=values,
        ),
    )


def _mediators(expressions: Sequence[str], factual: World, counterfactual: World) -> dict[int, tuple[str, str, str]]:
    """Number of an expression to its variable's name and values in both worlds."""
    found: dict[int, tuple[str, str, str]] = {}
    for number, expression in enumerate(expressions):
        reads = [world.reads[number] for world in (factual, counterfactual) if number in world.reads]
        if len(reads) < 2 or len(expression) > _EXPRESSION_CHARACTERS:
            continue
        before, after = reads[0][0], reads[1][0]
        # None, like a placeholder, says that there is no value.
        if before is None or after is None or "None" in (before, after):
            continue
        if before != after or any(first < last for _, first, last in reads):
            found[number] = (f"first value of {expression}", before, after)
    return dict(list(found.items())[:_MEDIATORS])


def _variables(call: Call, values: Mapping[str, tuple[str, str]]) -> tuple[Variable, ...]:
    return (
        Variable(
            name=_EXPOSURE,
            role=Role.EXPOSURE,
            factual="0",
            counterfactual="1",
            aliases=("index base", "first index", "first position", "where positions are counted from"),
            gloss="the position of the first element of every list, tuple, string or other sequence",
        ),
        Variable(
            name=_ARGUMENTS,
            role=Role.COVARIATE,
            factual=call.arguments,
            counterfactual=call.arguments,
            aliases=("input", "arguments of the call"),
            gloss="what the function is called with",
        ),
        *(
            Variable(
                name=name,
                role=Role.OUTCOME if name == _RESULT else Role.MEDIATOR,
                factual=before,
                counterfactual=after,
                aliases=("output", "result", "returned value") if name == _RESULT else (),
                gloss="what the call returns" if name == _RESULT else "what it gave when it was first evaluated",
            )
            for name, (before, after) in values.items()
        ),
    )


def _edges(
    item: _Item, mediators: Mapping[int, tuple[str, str, str]], factual: World, counterfactual: World
) -> tuple[Edge, ...]:
    edges: list[Edge] = []
    for number, (name, _, _) in mediators.items():
        edges += [(_EXPOSURE, name), (_ARGUMENTS, name)]
        edges += [
            (other, name) for inner, (other, _, _) in mediators.items() if (inner, number) in item.rewritten.parts
        ]
    edges += [(name, _RESULT) for name, _, _ in mediators.values()]
    edges.append((_ARGUMENTS, _RESULT))
    # Positions that no mediator is made of are ways of their own.
    for world in (factual, counterfactual):
        within = {use for number in mediators for use in range(*world.reads[number][1:])}
        if len(within) < world.uses:
            edges.append((_EXPOSURE, _RESULT))
            break
    return tuple(edges)


def _context(item: _Item, call: str, result: str, mediators: Mapping[int, tuple[str, str, str]]) -> str:
    said = [f"{call} returns {result}."]
    if mediators:
        values = [f"the {name} was {before}" for name, before, _ in mediators.values()]
        said.append(f"While it ran, {', '.join(values)}.")
    return (
        "In Python positions are counted from 0: the index of the first element is 0.\n\n"
        f"```python\n{item.program.text}```\n\n{' '.join(said)}"
    )


_QUESTION = (
    "Suppose the language counted positions from 1, so that the index of the first element were 1 instead of 0. Then "
    "s[n] is the n-th element of a list, tuple, string or other sequence, s[0] is an error, and s[a:b] goes from "
    "position a to just before position b; negative positions and omitted bounds keep their meaning. Methods such as "
    "index, find, insert and pop count from 1 too. Where no start is given, range(n) and enumerate(s) start at 1; "
    "range(n) still ends just before n. Dictionary keys, lengths and counts stay as they are. What would {call} return?"
)

_SOURCE = "https://github.com/openai/human-eval"
_REVISIONS = {
    "code_execution/execution_data.jsonl": "HumanEval, tests without loops (Wu et al. 2024)",
    "programming/execution/data.jsonl": "HumanEval, tests without loops (Wu et al. 2024)",
    "humaneval/HumanEval.jsonl.gz": "HumanEval",
    "HumanEval.jsonl.gz": "HumanEval",
    "HumanEval.jsonl": "HumanEval",
}
_FILES = tuple(_REVISIONS)

DATASET = Dataset(
    name="humaneval-exe",
    title="what a program would return if positions were counted from 1 (HumanEval)",
    modality="code",
    gold_kind="executed",
    source=_SOURCE,
    revision="HumanEval, tests without loops (Wu et al. 2024)",
    licence="MIT",
    roles={
        Role.EXPOSURE: "the index of the first element of a sequence",
        Role.COVARIATE: "the arguments of the call",
        Role.MEDIATOR: "the first values of up to three expressions that read an element or a slice",
        Role.OUTCOME: "the return value",
    },
    gold="Every program was run in a sandbox, as it is and rewritten so that positions are counted from 1.",
    files=_FILES,
    downloads=(
        Download(
            path="code_execution/execution_data.jsonl",
            repository="ZhaofengWu/counterfactual-evaluation",
            revision="2a03e7614e65b161f79d970b955d682d80308d96",
            file="programming/execution/data.jsonl",
            sha256="6d040993c1ba383c701cc22e090c52a451f5d6315215ef7f52d9c63736a40026",
        ),
        Download(
            path="humaneval/HumanEval.jsonl.gz",
            repository="openai/human-eval",
            revision="6d43fb980f9fee3c892a914eda09951f772ad10d",
            file="data/HumanEval.jsonl.gz",
            sha256="b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
        ),
    ),
    read=read,
)
