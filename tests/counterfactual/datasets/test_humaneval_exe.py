import ast
import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from counterpoise.counterfactual.case import Case, ProgramExecution, Role, Stage, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, humaneval_exe
from counterpoise.counterfactual.datasets.humaneval_exe import PER_PROGRAM, case_id
from counterpoise.errors import DataError

EXPOSURE, ARGUMENTS, RESULT = "index of the first element", "arguments", "return value"
FILE = "code_execution/execution_data.jsonl"


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """One cache for these tests: results of another run of the tests must not be taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERPOISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def task(
    number: int, body: str, *asserts: str, head: str = "def f(s):", doc: str = "What it does.", **fields: Any
) -> dict:
    """A record in the shape of the source."""
    lines = "".join(f"    {line}\n" for line in asserts)
    return {
        "task_id": f"HumanEval/{number}",
        "prompt": f'{head}\n    """ {doc}\n    >>> f(1)\n    factual\n    """\n',
        "entry_point": "f",
        "canonical_solution": "".join(f"    {line}\n" for line in body.split("\n")),
        "test": f"\n\nMETADATA = {{}}\n\n\ndef check(candidate):\n{lines}\n",
    } | fields


def write(folder: Path, *records: dict | str, file: str = FILE) -> Path:
    text = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(gzip.compress(text.encode()) if file.endswith(".gz") else text.encode())
    return folder


def read(folder: Path, *records: dict) -> tuple[list[Case], list[tuple[str, str]]]:
    cases, rejects = humaneval_exe.read(write(folder, *records))
    assert not [problem for case in cases for problem in problems(case)]
    return cases, [(reject.id, reject.reason) for reject in rejects]


def test_a_call(tmp_path: Path) -> None:
    cases, rejects = read(
        tmp_path, task(7, "return s[1] + t", "assert candidate('xyz', t='!') == 'y!'", head="def f(s, t):")
    )
    assert not rejects
    (case,) = cases
    assert case.id == case_id("HumanEval/7", "f('xyz', t='!')")
    assert (case.cluster, case.target) == ("HumanEval/7", "'x!'")
    assert "f('xyz', t='!') returns 'y!'. While it ran, the first value of s[1] was 'y'." in case.context
    assert "```python\ndef f(s, t):\n    return s[1] + t\n```" in case.context
    # The docstring states a result for positions from 0, and the answer is nowhere.
    assert "factual" not in case.context
    assert "x!" not in case.context + case.question
    assert case.question.startswith("Suppose the language counted positions from 1")
    assert case.question.endswith("What would f('xyz', t='!') return?")
    assert {v.name: (v.role, v.factual, v.counterfactual) for v in case.variables} == {
        EXPOSURE: (Role.EXPOSURE, "0", "1"),
        ARGUMENTS: (Role.COVARIATE, "'xyz', t='!'", "'xyz', t='!'"),
        "first value of s[1]": (Role.MEDIATOR, "'y'", "'x'"),
        RESULT: (Role.OUTCOME, "'y!'", "'x!'"),
    }
    assert dict(case.intervention) == {EXPOSURE: "1"}
    assert set(case.edges) == {
        (EXPOSURE, "first value of s[1]"),
        (ARGUMENTS, "first value of s[1]"),
        ("first value of s[1]", RESULT),
        (ARGUMENTS, RESULT),
    }
    assert case.stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)
    assert case.facets == {"effect": "changed", "positions": "used", "mediators": "1"}
    assert isinstance(case.execution, ProgramExecution)
    assert case.execution.rewrite == "one-based-indexing 1"
    assert case.execution.program == "def f(s, t):\n    return s[1] + t\n"


@pytest.mark.parametrize(
    ("body", "call", "direct"),
    [
        ("return s[1]", "[1, 2]", False),
        ("return s[s[2]]", "[1, 2, 1]", False),
        ("return [s[1], s[1]]", "[1, 2]", True),
        ("s[1] = 5\nreturn s[1:]", "[1, 2, 3]", True),
        ("return [s[1], s.index(2)]", "[1, 2]", True),
        ("return [s[1]] + list(range(3))", "[1, 2]", True),
        ("return s[range(3)[1]]", "[1, 2]", False),
        ("return [s[1], s[-1]]", "[1, 2]", False),
        ("return [s[1], s[2], s[3], s[4]]", "[1, 2, 3, 4, 5]", True),
        ("return [s[1], s[2], s[3]]", "[1, 2, 3, 4, 5]", False),
        ("return len([c for c in s if s[1:2]])", "[1, 2]", True),
        ("return list(range(len(s)))", "[1, 2]", True),
        ("return s.index(2)", "[1, 2]", True),
    ],
)
def test_the_exposure_acts_directly_where_a_position_is_no_mediators(
    tmp_path: Path, body: str, call: str, direct: bool
) -> None:
    (case,), _ = read(tmp_path, task(1, body, f"assert candidate({call})"))
    assert ((EXPOSURE, RESULT) in case.edges) is direct
    mediators = {variable.name for variable in case.of_role(Role.MEDIATOR)}
    assert len(mediators) <= 3
    for name in mediators:
        assert {(EXPOSURE, name), (ARGUMENTS, name), (name, RESULT)} <= set(case.edges)


def test_a_part_of_an_expression_acts_on_it(tmp_path: Path) -> None:
    (case,), _ = read(tmp_path, task(1, "return s[s[2]]", "assert candidate([1, 2, 1, 5]) == 2"))
    assert ("first value of s[2]", "first value of s[s[2]]") in case.edges
    assert (case.variable("first value of s[2]").counterfactual, case.target) == ("2", "2")
    assert case.facets["effect"] == "same"


def test_what_is_no_mediator(tmp_path: Path) -> None:
    body = "d = {1: 2}\nn = [None] * 3\nlong = ['x' * 60] * 3\nm = (s[1:3], s[-1], d[1], n[1], long[1])\n"
    body += "return [s[2], 0 if s[1] > 1 else s[3]]"
    (case,), _ = read(tmp_path, task(1, body, "assert candidate([1, 2, 3, 4]) == [3, 0]"))
    # s[-1] does not depend on the exposure, d[1] is no position, None and long texts say nothing; s[3] was read in one
    # world only.
    names = [variable.name for variable in case.of_role(Role.MEDIATOR)]
    assert names == ["first value of s[1:3]", "first value of s[2]", "first value of s[1]"]


def test_a_negative_position_that_gives_something_else_is_a_mediator(tmp_path: Path) -> None:
    (case,), _ = read(tmp_path, task(1, "t = s[1:]\nreturn t[:-1]", "assert candidate([1, 2, 3]) == [2]"))
    found = {variable.name: (variable.factual, variable.counterfactual) for variable in case.of_role(Role.MEDIATOR)}
    assert found == {"first value of s[1:]": ("[2, 3]", "[1, 2, 3]"), "first value of t[:-1]": ("[2]", "[1, 2]")}


@pytest.mark.parametrize("assertion", ["candidate('ab') == 'b'", "candidate('ab') is 'b', 'why'", "candidate('ab')"])
def test_assertions_that_are_read(tmp_path: Path, assertion: str) -> None:
    (case,), rejects = read(tmp_path, task(1, "return s[1]", f"assert {assertion}"))
    assert (case.target, rejects) == ("'a'", [])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (task(1, "import os\nreturn s[1]", "assert candidate('ab')"), "the program imports os"),
        (task(1, "return s[", "assert candidate('ab')"), "the program is no program: '[' was never closed"),
        (task(1, "return s[1]", "assert True"), "the program has a test that asserts nothing of a call"),
        (task(1, "return s[1]", "assert ("), "the program has a test that is no program: '(' was never closed"),
        (task(1, "return s[1]", "assert candidate('ab')", entry_point="g"), "the program has no function g"),
        (task(1, "return s" + "[0]" * 900, "assert candidate('ab')"), "the program is n"),
        (task(1, "return s[1]", "assert candidate(x) == 1"), "the arguments are not constants"),
        (task(1, "return s[1]", "assert candidate('ab'[1])"), "the arguments are not constants"),
        (task(1, "return s[1]", "assert candidate(*['ab'])"), "the arguments are not constants"),
        (task(1, "return s[1]", "assert candidate(**{'s': 'ab'})"), "the arguments are not constants"),
        (task(1, "return 'ab'[1]", "assert candidate()", head="def f():"), "the call has no arguments"),
        (task(1, "return s[1]", f"assert candidate('{'a' * 200}')"), "the arguments are longer than 200 characters"),
        (task(1, "return s[9]", "assert candidate('ab')"), "the call raises IndexError"),
        (task(1, "while s: pass", "assert candidate('ab')"), "the call takes too long"),
        (task(1, "return f(s)", "assert candidate('ab')"), "the call recurses too deeply"),
        (task(1, "return [s] * 10**9", "assert candidate('ab')"), "the call takes too much memory"),
        (task(1, "raise SystemExit", "assert candidate('ab')"), "the call ends the process"),
        (task(1, "return s * 999", "assert candidate('ab')"), "the call returns a value that is too long"),
        (
            task(1, "return list(set(s))[1]", "assert candidate('abcdefgh')"),
            "the call comes out otherwise when run again",
        ),
        (task(1, "return s[1]", "assert candidate('ab') == 'c'"), "the call does not return what its test says"),
        (task(1, "return s[1]", "assert not candidate('ab')"), "the call does not return what its test says"),
        (task(1, "return s[0]", "assert candidate('ab')"), "with positions from 1 the call uses position 0"),
        (
            task(1, "try:\n    return s[0]\nexcept IndexError:\n    return ''", "assert candidate('ab')"),
            "with positions from 1 the call uses position 0",
        ),
        (
            task(1, "return 'xyz'[2 * s.find('b')]", "assert candidate('ab') == 'z'"),
            "with positions from 1 the call raises IndexError",
        ),
        (
            task(1, "while s[1] == 'a': pass\nreturn s", "assert candidate('ab') == 'ab'"),
            "with positions from 1 the call takes too long",
        ),
        (
            task(1, "return s[1:] * 150", "assert candidate('abc')"),
            "a return value is longer than 200 characters",
        ),
        (
            task(1, "return None if s[1] == 'b' else 1", "assert candidate('ab') is None"),
            "a return value is None, which cannot be told from a missing answer",
        ),
        (task(1, "return float('inf') * s[1]", "assert candidate([1, 2])"), "the return value is no literal"),
        (task(1, "return str.index(s, 'b')", "assert candidate('ab')"), "the rewritten program does not return what"),
        (
            task(1, "return type(range(s)) == range", "assert candidate(3)"),
            "the rewritten program does not return what the program returns",
        ),
        (task(1, "return len(s) + {1: 2}[1]", "assert candidate('ab') == 4"), "the call uses no positions"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, record: dict, reason: str) -> None:
    cases, rejects = read(tmp_path, record)
    assert not cases
    ((identity, said),) = rejects
    assert said.startswith(reason)
    assert identity.startswith("humaneval-exe-1")


def test_of_a_program_three_calls_are_chosen(tmp_path: Path) -> None:
    calls = ["'aab'", "'ab'", "'bbbbc'", "'cc'", "'xyz'", "'xyzw'", "'ab'", "''"]
    body = "if not s:\n    return ''\nreturn s[1]"
    cases, rejects = read(tmp_path, task(3, body, *(f"assert candidate({call}) == {call}[1:2]" for call in calls)))
    chosen = [case.execution.arguments for case in cases if isinstance(case.execution, ProgramExecution)]
    assert chosen == ["'ab'", "'xyz'", "'cc'"]
    assert [case.facets["effect"] for case in cases] == ["changed", "changed", "same"]
    assert len(cases) == PER_PROGRAM
    assert rejects == [
        (case_id("HumanEval/3", "f('ab')"), "the same call occurs twice"),
        (case_id("HumanEval/3", "f('')"), "the call uses no positions"),
    ]


def test_a_call_that_the_exposure_does_not_act_on_has_an_answer_only(tmp_path: Path) -> None:
    (case,), _ = read(tmp_path, task(1, "return s[-1] + s[::-1]", "assert candidate('ab') == 'bba'"))
    assert case.stages == (Stage.ANSWER,)
    assert (case.target, case.edges, dict(case.intervention)) == ("'bba'", (), {})
    assert case.facets == {"effect": "same", "positions": "unaffected", "mediators": "0"}


def test_programs_take_turns(tmp_path: Path) -> None:
    asserts = ("assert candidate('ab')", "assert candidate('abc')")
    cases, _ = read(tmp_path, task(1, "return s[1]", *asserts), task(2, "return s[1:]", *asserts))
    assert [case.cluster for case in cases] == ["HumanEval/1", "HumanEval/2"] * 2


def test_files_with_the_same_programs_give_the_same_cases(tmp_path: Path) -> None:
    records = [
        task(1, "return s[1]", "assert candidate('ab') == 'b'"),
        task(2, "return s[1:]", "assert candidate('ab')"),
    ]
    found = []
    for number, file in enumerate(
        (FILE, "programming/execution/data.jsonl", "humaneval/HumanEval.jsonl.gz", "HumanEval.jsonl")
    ):
        folder = write(tmp_path / str(number), *records, file=file)
        assert any(file == path for path in humaneval_exe.DATASET.files)
        found.append([case.model_copy(update={"revision": ""}) for case in humaneval_exe.read(folder)[0]])
    assert len(found[0]) == 2
    assert all(cases == found[0] for cases in found)
    # The first of the files is the one that is read.
    write(tmp_path / "0", task(9, "return s[1]", "assert candidate('ab')"), file="humaneval/HumanEval.jsonl.gz")
    assert len(humaneval_exe.read(tmp_path / "0")[0]) == 2


def test_a_task_that_occurs_twice_is_rejected(tmp_path: Path) -> None:
    cases, rejects = read(
        tmp_path, task(1, "return s[1]", "assert candidate('ab')"), task(1, "return 1", "assert True")
    )
    assert len(cases) == 1
    assert rejects == [("humaneval-exe-1", "the same task occurs twice (line 2, first line 1)")]


GOOD = task(1, "return s[1]", "assert candidate('ab')")


@pytest.mark.parametrize("file", [FILE, "humaneval/HumanEval.jsonl.gz"])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (json.dumps(GOOD)[:-20], "not valid JSON"),
        ("[1]", "a list .*expected a JSON object"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "test"}), "no field 'test'"),
        (json.dumps(GOOD | {"prompt": None}), "field 'prompt' is a NoneType"),
        (json.dumps(GOOD | {"task_id": "one"}), "field 'task_id' is 'one' .*expected such as HumanEval/0"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, file: str, line: str, message: str) -> None:
    write(tmp_path, GOOD, line, file=file)
    with pytest.raises(DataError, match=message) as found:
        humaneval_exe.read(tmp_path)
    assert f"{file} line 2" in str(found.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no HumanEval file .*expected code_execution/execution_data\.jsonl or "):
        humaneval_exe.read(tmp_path)
    with pytest.raises(DataError, match="no HumanEval file"):
        humaneval_exe.read(None)
    write(tmp_path, "")
    with pytest.raises(DataError, match=r"the file has no tasks .*execution_data\.jsonl"):
        humaneval_exe.read(tmp_path)
    (tmp_path / FILE).write_bytes(json.dumps(GOOD).encode() + b"\n\xff")
    with pytest.raises(DataError, match=r"not UTF-8 text .*execution_data\.jsonl line 2"):
        humaneval_exe.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(json.dumps(GOOD).encode())[:-10], "the file cannot be unpacked"),
        (json.dumps(GOOD).encode(), "the file cannot be unpacked"),
        (gzip.compress(b"{}\n\xff"), "not UTF-8 text .*line 2|no field"),
        (gzip.compress(b"\n" * (2**26 + 1)), "the file is too large"),
        (b"", "the file has no tasks"),
    ],
    ids=["cut off", "not packed", "encoding", "large", "empty"],
)
def test_packed_files_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        humaneval_exe.read(tmp_path)


def test_downloads_are_files_of_the_dataset() -> None:
    assert {download.path for download in humaneval_exe.DATASET.downloads} <= set(humaneval_exe.DATASET.files)


# The language once more, in another way: every position is looked up among written-out positions 1 to n.
BRUTE = """
import ast, json, sys

def places(s):
    return dict(enumerate(s, start=1))

def part(s, chosen):
    if isinstance(s, str):
        return "".join(chosen)
    return type(s)(chosen)

def get(s, i):
    if isinstance(s, dict):
        return s[i]
    at, n = places(s), len(s)
    if not isinstance(i, slice):
        assert i != 0
        return at[i if i > 0 else n + 1 + i]
    step = i.step or 1
    assert i.start != 0 and i.stop != 0
    bound = lambda b: b if b > 0 else max(n + 1 + b, 0)
    if step > 0:
        start = 1 if i.start is None else max(bound(i.start), 1)
        stop = n + 1 if i.stop is None else bound(i.stop)
        return part(s, [at[p] for p in sorted(at) if start <= p < stop and (p - start) % step == 0])
    start = n if i.start is None else min(bound(i.start), n)
    stop = 0 if i.stop is None else bound(i.stop)
    return part(s, [at[p] for p in sorted(at, reverse=True) if stop < p <= start and (start - p) % -step == 0])

def index(s):
    return lambda x: min(p for p, y in places(s).items() if y == x)

class Brute(ast.NodeTransformer):
    def visit_Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            raise NotImplementedError
        self.generic_visit(node)
        i = node.slice
        if isinstance(i, ast.Slice):
            bounds = [bound or ast.Constant(None) for bound in (i.lower, i.upper, i.step)]
            i = ast.Call(ast.Name("slice", ast.Load()), bounds, [])
        return ast.Call(ast.Name("get", ast.Load()), [node.value, i], [])

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr in ("pop", "insert", "find"):
            raise NotImplementedError
        return ast.Call(ast.Name("index", ast.Load()), [node.value], []) if node.attr == "index" else node

    def visit_FunctionDef(self, node):
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
        return self.generic_visit(node)

real = range
found = []
for program, call in json.load(sys.stdin):
    scope = {
        "get": get,
        "index": index,
        "range": lambda *a: real(1, *a) if len(a) == 1 else real(*a),
        "enumerate": lambda s: [(i, x) for i, x in zip(real(1, 10**6), s)],
    }
    try:
        exec(compile(ast.fix_missing_locations(Brute().visit(ast.parse(program))), "program", "exec"), scope)
        found.append(repr(eval(call, scope)))
    except NotImplementedError:
        found.append(None)
print(json.dumps(found))
"""


def test_real_data(data: Path) -> None:
    cases, rejects = humaneval_exe.read(data)
    assert Counter(case.facets["effect"] for case in cases) == {"same": 68, "changed": 65}
    assert Counter(case.facets["positions"] for case in cases) == {"used": 122, "unaffected": 11}
    assert Counter(reject.reason for reject in rejects) == {
        "the call uses no positions": 612,
        "with positions from 1 the call uses position 0": 154,
        "a return value is None, which cannot be told from a missing answer": 7,
        "the same call occurs twice": 4,
        "the arguments are not constants": 4,
        "the program uses eval": 1,
        "the program has a test that asserts nothing of a call": 1,
    }
    assert len({case.id for case in cases}) == len(cases)
    assert max(Counter(case.cluster for case in cases).values()) == PER_PROGRAM
    for case in cases:
        assert not problems(case)
        assert (case.variables == ()) is (case.facets["positions"] == "unaffected")
        assert "'''" not in case.context
        assert '"""' not in case.context.replace('FIX = """\nAdd more test cases.\n"""', "")
        assert ast.literal_eval(case.target) is not None
        if case.variables:
            ends = {end for edge in case.edges for end in edge}
            assert ends == {variable.name for variable in case.variables}
            for variable in case.of_role(Role.MEDIATOR):
                assert f"the {variable.name} was {variable.factual}" in case.context
    gold = check_gold({"humaneval-exe": Loaded(tuple(cases), tuple(rejects))})[0]
    assert set(gold["oracle"].values()) == {1.0}
    # Copying the factual value is right in half of the cases, as a no-op is no rare thing here.
    assert 0.4 < gold["baselines"]["copy-factual"]["answer"] < 0.6
    again = _by_brute_force(cases)
    compared = [(case.id, case.target, value) for case, value in zip(cases, again, strict=True) if value is not None]
    assert len(compared) > 100
    assert [(identity, value) for identity, _, value in compared] == [
        (identity, target) for identity, target, _ in compared
    ]


def _by_brute_force(cases: list[Case]) -> list[str | None]:
    jobs = []
    for case in cases:
        assert isinstance(case.execution, ProgramExecution)
        jobs.append([case.execution.program, f"{case.execution.entry_point}({case.execution.arguments})"])
    done = subprocess.run(
        [sys.executable, "-I", "-c", BRUTE],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)
