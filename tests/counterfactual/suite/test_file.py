"""Cases in a file, and the command that writes it."""

import json

import pytest

from counterpoise.cli import main
from counterpoise.counterfactual.case import Case, problems
from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.file import suite_lines, write_suite
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.errors import ConfigError, OutputError


def run(capsys, *arguments):
    code = main(["generate", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("suite", ["scm-text", "scm-math", "scm-code", "scm-image"])
def test_the_file_holds_valid_cases_that_anyone_can_read(tmp_path, suite):
    config = GenerateConfig(suite=suite)
    written = write_suite(config, tmp_path / "cases.jsonl", seed=7, n=12)
    lines = (tmp_path / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert written.cases == len(lines) == 12
    for index, line in enumerate(lines):
        case = Case.model_validate_json(line)
        assert case == generate(config, 7, index)
        assert problems(case) == []
    assert sum(written.shapes.values()) == sum(written.queries.values()) == 12


def test_a_longer_file_begins_with_a_shorter_one():
    config = GenerateConfig(suite="scm-code")
    assert suite_lines(config, 3, 9)[1].startswith(suite_lines(config, 3, 4)[1])


def test_the_same_cases_again_change_nothing_and_others_are_refused(tmp_path):
    out = tmp_path / "cases.jsonl"
    config = GenerateConfig(suite="scm-text")
    assert write_suite(config, out, seed=1, n=3).changed
    before = out.stat().st_mtime_ns, out.read_bytes()
    assert not write_suite(config, out, seed=1, n=3).changed
    with pytest.raises(OutputError, match="exists and holds something else; choose another file or remove it"):
        write_suite(config, out, seed=2, n=3)
    assert (out.stat().st_mtime_ns, out.read_bytes()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["cases.jsonl"]


def test_places_that_cannot_be_written_are_named_before_any_work(tmp_path):
    config = GenerateConfig(suite="scm-text")
    with pytest.raises(OutputError, match=r"is a folder; expected a file to write; for instance .*cases\.jsonl"):
        write_suite(config, tmp_path, seed=1, n=10**9)
    with pytest.raises(OutputError, match=r"no folder .*nowhere; create it first"):
        write_suite(config, tmp_path / "nowhere" / "x.jsonl", seed=1, n=10**9)
    with pytest.raises(ConfigError, match="0 cases; expected at least 1"):
        write_suite(config, tmp_path / "x.jsonl", seed=1, n=0)


def test_the_command_says_what_it_wrote(capsys, tmp_path):
    out = tmp_path / "cases.jsonl"
    arguments = ("--suite", "scm-code", "--n", 4, "--seed", 7, "--out", out, "--shape", "chain,fork")
    code, text, _ = run(capsys, *arguments, "--query", "abduction", "--difficulty", "1-2", "--wording", "nonce")
    assert code == 0
    assert text == f"wrote 4 cases of scm-code, seed 7, in {out}: chain 2, fork 2; abduction 4\n"
    cases = [Case.model_validate_json(line) for line in out.read_text().splitlines()]
    assert {case.facets["shape"] for case in cases} == {"chain", "fork"}
    assert {case.facets["domain"] for case in cases} == {"nonce"}
    assert {case.facets["difficulty"] for case in cases} <= {"1", "2"}
    code, text, _ = run(
        capsys, *arguments, "--query", "abduction", "--difficulty", "1-2", "--wording", "nonce", "--json"
    )
    assert code == 0
    assert json.loads(text) == {
        "out": str(out),
        "suite": "scm-code",
        "seed": 7,
        "cases": 4,
        "shapes": {"chain": 2, "fork": 2},
        "queries": {"abduction": 4},
        "changed": False,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--suite", "scm-cod"), "did you mean 'scm-code'?"),
        (("--n", "0"), "0 is not in the range x>=1"),
        (("--n", "-3"), "-3 is not in the range x>=1"),
        (("--n", "many"), "'many' is not a valid integer"),
        (("--difficulty", "9"), "difficulty must be a number from 1 to 5"),
        (("--difficulty", "x"), "difficulty 'x'; expected a number from 1 to 5"),
        (("--shape", "ring"), "unknown shape 'ring'"),
        (("--shape", ","), "an empty list of names"),
        (("--query", "why"), "unknown query 'why'"),
        (("--shape", "no-path", "--query", "abduction"), "shape no-path only has the queries no-op and undetermined"),
        (("--wording", "odd"), "unknown wording 'odd'"),
        (("--suite", "scm-math", "--wording", "nonce"), "suite scm-math has no nonce wording"),
        (("--out", "nowhere/cases.jsonl"), "no folder nowhere"),
    ],
)
def test_a_bad_request_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "--suite", "scm-text", "--n", "2", "--out", "x.jsonl", *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
