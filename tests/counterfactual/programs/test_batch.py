from pathlib import Path

import pytest

from counterpoise.counterfactual.programs import Limits, Program, batch, rewrite, run_programs
from counterpoise.errors import RunError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTERPOISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "programs"


def program(body: str, *calls: str) -> Program:
    text = f"def f(s):\n    {body}"
    return Program(text, rewrite(text).text, calls or ("f('abc')",))


def test_results_come_in_the_order_of_the_programs_and_calls() -> None:
    found = run_programs(
        [program("return s[1]", "f('abc')", "f('xyz')"), program("return len(s)"), program("return s[9]")]
    )
    assert [[run.original.text for run in runs] for runs in found] == [["'b'", "'y'"], ["3"], ["IndexError"]]
    counterfactual = [[run.counterfactual.text if run.counterfactual else None for run in runs] for runs in found]
    assert counterfactual == [["'a'", "'x'"], ["3"], [None]]
    assert [run.positions for run in found[0] + found[1]] == [True, True, False]


def test_what_depends_on_the_order_of_a_set_varies() -> None:
    found = run_programs([program("return list(set(s))[1]", "f('abcdefgh')")])[0]
    assert found[0].original.reason == "comes out otherwise when run again"
    assert not found[0].returned


def test_results_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = [program("return s[1]"), program("return s[0]")]
    first = run_programs(programs)
    assert len(list(folder.iterdir())) == 2

    def never(*_: object, **__: object) -> None:
        raise AssertionError("run again")

    monkeypatch.setattr(batch, "run_program", never)
    assert run_programs(programs) == first
    # Anything that the result depends on is part of the name.
    for other in (program("return s[2]"), program("return s[1]", "f('b')")):
        with pytest.raises(AssertionError):
            run_programs([other])
    with pytest.raises(AssertionError):
        run_programs(programs, Limits(run_seconds=2))
    monkeypatch.setattr(batch, "_code", lambda: "another")
    with pytest.raises(AssertionError):
        run_programs(programs)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'[{"original": {"status": "fine"}}]'])
def test_a_kept_file_that_is_spoilt_is_replaced(folder: Path, content: bytes) -> None:
    programs = [program("return s[1]")]
    first = run_programs(programs)
    (file,) = folder.iterdir()
    good = file.read_bytes()
    file.write_bytes(content)
    assert run_programs(programs) == first
    assert file.read_bytes() == good


def test_a_cache_that_cannot_be_written_is_no_error(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file")
    assert run_programs([program("return s[1]")])[0][0].returned


def test_what_the_clock_ended_is_not_kept(folder: Path) -> None:
    limits = Limits(wall_seconds=0.0)
    assert run_programs([program("return s[1]")], limits)[0][0].original.reason == "takes too long"
    assert not folder.exists()


def test_an_error_ends_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def fail(one: Program, **_: object) -> None:
        started.append(one)
        raise RunError("no process")

    monkeypatch.setattr(batch, "run_program", fail)
    with pytest.raises(RunError):
        run_programs([program(f"return {number}") for number in range(500)])
    assert len(started) < 500
