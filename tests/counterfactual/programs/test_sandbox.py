"""What a program cannot do; each program here is run as it stands, past the gate of admission."""

import os
import time
from pathlib import Path

import pytest

from counterpoise.counterfactual.programs import sandbox
from counterpoise.counterfactual.programs.indexing import rewrite
from counterpoise.counterfactual.programs.outcome import Run
from counterpoise.counterfactual.programs.sandbox import Limits, Program, run_program
from counterpoise.errors import RunError

LIMITS = Limits(run_seconds=0.2, process_seconds=2, wall_seconds=20)
PATIENT = Limits(run_seconds=5)

# A way out of the builtins that are left: classes lead to modules that the interpreter has imported.
ESCAPE = """
def module(name):
    for kind in object.__subclasses__():
        if kind.__name__ == "_wrap_close":
            return kind.__init__.__globals__["sys"].modules[name]
"""


def run(text: str, *calls: str, limits: Limits = LIMITS, seed: int = 0) -> tuple[Run, ...]:
    return run_program(Program(text, rewrite(text).text, calls or ("f()",)), limits=limits, seed=seed)


def reason(text: str, limits: Limits = LIMITS) -> str:
    return run(text, limits=limits)[0].original.reason


def escape(body: str, name: str = "posix") -> str:
    return f"{ESCAPE}\ndef f():\n    m = module({name!r})\n    {body}\n"


def test_a_value_is_given_as_text() -> None:
    found = run("def f(x):\n    return [x, 'é', None, 1.5, (2,)]", "f({3: 'ü'})")[0]
    assert found.original.text == repr([{3: "ü"}, "é", None, 1.5, (2,)])
    assert found.returned


def test_an_exception_is_named() -> None:
    assert reason("def f():\n    return 1 // 0") == "raises ZeroDivisionError"
    assert reason("f = 1") == "raises TypeError"


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n        pass",
        "while True:\n        try:\n            while True:\n                pass\n        except:\n            pass",
        "return sum(iter(int, 1))",
        "return 7 ** 10 ** 9",
    ],
    ids=["plain", "catching everything", "in C", "one instruction"],
)
def test_a_loop_ends(loop: str) -> None:
    start = time.monotonic()
    first, second = run(f"def f(x):\n    if x:\n        return x\n    {loop}", "f(0)", "f(1)")
    assert first.original.reason == "takes too long"
    assert first.counterfactual is None
    # The call after it is run all the same.
    assert second.returned
    assert time.monotonic() - start < 15


def test_a_loop_that_catches_the_end_of_its_time_has_no_value() -> None:
    text = "def f():\n    try:\n        while True:\n            pass\n    except:\n        return 1"
    assert reason(text) == "takes too long"


def test_a_process_that_waits_is_killed_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(wall_seconds=0.5)
    (tmp_path / "waits.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(sandbox.runner, "__file__", str(tmp_path / "waits.py"))
    start = time.monotonic()
    ending = run("def f():\n    pass", limits=limits)[0].original
    assert (ending.status, ending.text) == ("time", sandbox.WALL)
    assert time.monotonic() - start < 10


def test_memory_is_limited() -> None:
    assert reason("def f():\n    return len([0] * 10**9)") == "takes too much memory"
    assert reason("def f():\n    x = 'ab'\n    while True:\n        x += x", PATIENT) == "takes too much memory"
    first, second = run("def f(n):\n    return len('a' * n)", "f(10**10)", "f(3)")
    assert first.original.status == "memory"
    assert second.original.text == "3"


def test_recursion_is_limited() -> None:
    assert reason("def f(n=0):\n    return f(n + 1)") == "recurses too deeply"


@pytest.mark.parametrize("text", ["def f():\n    raise SystemExit(0)", "raise SystemExit\ndef f():\n    pass"])
def test_a_program_cannot_end_the_process(text: str) -> None:
    assert reason(text) == "ends the process"


def test_a_long_value_is_refused() -> None:
    assert reason("def f():\n    return 'a' * 2000") == "returns a value that is too long"
    assert reason("def f():\n    return [0] * 10**6", PATIENT) == "returns a value that is too long"
    # Longer than Python writes out.
    assert reason("def f():\n    return 1 << 10**6") == "raises ValueError"


def test_what_is_printed_goes_nowhere() -> None:
    found = run("def f():\n    for _ in range(1000):\n        print('x' * 10000)\n    return 1")[0]
    assert found.original.text == "1"


@pytest.mark.parametrize("name", ["os", "sys", "subprocess", "threading", "ctypes", "socket", "time", "random"])
def test_modules_beyond_the_list_do_not_exist(name: str) -> None:
    assert reason(f"def f():\n    import {name}") == "raises ImportError"


@pytest.mark.parametrize(
    "name", ["open", "exec", "eval", "compile", "input", "getattr", "globals", "vars", "breakpoint"]
)
def test_builtins_beyond_the_list_do_not_exist(name: str) -> None:
    assert reason(f"def f():\n    return {name}") == "raises NameError"


def test_modules_show_no_other_modules() -> None:
    for expression in ("re.enum", "functools.update_wrapper", "typing.get_type_hints", "string.Formatter", "math.os"):
        text = f"import re, functools, typing, string, math\ndef f():\n    return {expression}"
        assert reason(text) == "raises AttributeError"


def test_the_modules_on_the_list_work() -> None:
    text = """
import math, hashlib, re, string, collections, itertools, functools
from typing import List, Optional
from collections import Counter
def f(s: List[str]) -> Optional[int]:
    a = math.ceil(1.5), hashlib.md5(b"a").hexdigest()[:4], re.sub("a+", "b", "caa"), string.digits
    return a, Counter("aab").most_common(1), list(itertools.chain("ab", s)), functools.reduce(max, [1, 3])
"""
    found = run(text, "f(['x'])")[0]
    assert found.original.text == "((2, '0cc1', 'cb', '0123456789'), [('a', 2)], ['a', 'b', 'x'], 3)"


@pytest.mark.parametrize(
    ("body", "name", "event"),
    [
        ("m.fork()", "posix", "os.fork"),
        ("m.forkpty()", "posix", "os.forkpty"),
        ("m.system('true')", "posix", "os.system"),
        ("m.execv('/bin/true', ['true'])", "posix", "os.exec"),
        ("m.open('made', 65, 511)", "posix", "open"),
        ("m.open('/etc/hostname', 0)", "posix", "open"),
        ("m.kill(m.getppid(), 9)", "posix", "os.kill"),
        ("m.remove('made')", "posix", "os.remove"),
        ("m.open('made', 'w')", "io", "open"),
        ("m.start_new_thread(print, ())", "_thread", "_thread.start_new_thread"),
        ("m.modules['builtins'].__import__('socket').socket()", "sys", "import"),
        ("m.modules['builtins'].__import__('subprocess')", "sys", "import"),
        ("m.modules['builtins'].__import__('_ctypes')", "sys", "import"),
        ("m.write(1, b'{}')", "os", "os.write"),
        ("m._exit(0)", "os", "os._exit"),
    ],
)
def test_files_processes_threads_and_the_network_are_denied(body: str, name: str, event: str) -> None:
    assert reason(escape(body, name)) == f"does what is not allowed ({event})"


def test_a_denial_that_the_program_catches_is_known() -> None:
    body = "try:\n        m.fork()\n    except:\n        pass\n    return 1"
    first, second = run(escape(body) + "\ndef g():\n    return 2", "f()", "g()")
    assert first.original.reason == "does what is not allowed (os.fork)"
    assert second.returned


def test_results_that_the_program_forges_are_no_results() -> None:
    found = run(escape("m.write(1, b'{\"original\": 1}\\n')\n    return 1"))[0]
    assert found.original.reason == "breaks the process (it wrote into the results)"


def test_a_process_that_writes_without_end_is_stopped() -> None:
    found = run(escape("while True:\n        m.write(1, b'x' * 60000)"), limits=Limits(run_seconds=5))[0]
    assert found.original.status == "length"


def test_a_process_that_ends_itself_is_known() -> None:
    first, second = run(escape("m._exit(3)") + "\ndef g():\n    return 2", "f()", "g()")
    assert first.original.reason == "breaks the process (exit code 3)"
    assert second.returned
    assert reason(escape("m.abort()")) == "breaks the process (SIGABRT)"


def test_limits_of_the_operating_system_hold_where_no_event_is_raised() -> None:
    # As root, processes are not counted; the event is what stops them there.
    limits = escape("return [m.getrlimit(n)[0] for n in (m.RLIMIT_FSIZE, m.RLIMIT_CORE, m.RLIMIT_NOFILE)]", "resource")
    assert run(limits)[0].original.text == "[0, 0, 3]"


def test_the_environment_is_empty_and_the_folder_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    text = escape("return [k for k in m.environ], m.getcwd()", "os")
    names, folder = eval(run(text)[0].original.text)
    assert names == ["PYTHONHASHSEED"] or set(names) == {"PYTHONHASHSEED", "LC_CTYPE"}
    assert folder != os.getcwd()
    assert not os.path.exists(folder)


def test_nothing_stays_of_one_call_for_the_next() -> None:
    first, second = run("seen = []\ndef f():\n    seen.append(1)\n    return len(seen)", "f()", "f()")
    assert {first.original.text, second.original.text, second.counterfactual and second.counterfactual.text} == {"1"}


def test_a_seed_fixes_the_order_of_sets() -> None:
    text = "def f():\n    return list(set('abcdefgh'))"
    orders = [run(text, seed=seed)[0].original.text for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.sys, "executable", "/nowhere/python")
    with pytest.raises(RunError, match="cannot start a process for a program: No such file"):
        run("def f():\n    pass")
