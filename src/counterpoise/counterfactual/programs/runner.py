"""What runs inside the sandbox: a program's calls, each in three worlds, as JSON lines on standard output.

Started by :mod:`~counterpoise.counterfactual.programs.sandbox` as a script without site packages, with the job on
standard input. It ties its own hands before the program begins: limits of the operating system on processor time,
memory, files and processes; builtins and modules cut down to what a computation needs; an audit hook that refuses every
event but running code, so opening a file, a socket or a process fails wherever the call comes from.

This guards against accidents and simple hostility. It is no virtual machine: a program written to break out of Python
may succeed, and then has the rights of the user.
"""

import _thread
import builtins
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import SimpleNamespace
from typing import Any

__all__ = ["BUILTINS", "MODULES", "main"]

BUILTINS = frozenset(
    """
    abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float format frozenset
    hex int isinstance issubclass iter len list map max min next object oct ord pow print range repr reversed round set
    slice sorted str sum tuple type zip
    Ellipsis False None NotImplemented True
    ArithmeticError AssertionError AttributeError BaseException Exception FloatingPointError IndexError KeyError
    LookupError MemoryError NameError NotImplementedError OverflowError RecursionError RuntimeError StopIteration
    SystemExit TypeError UnicodeError UnboundLocalError ValueError ZeroDivisionError
    """.split()
)
"""The builtins that a program has; ``print`` does nothing."""

MODULES: dict[str, frozenset[str]] = {
    name: frozenset(names.split())
    for name, names in {
        "collections": "Counter OrderedDict defaultdict deque",
        "functools": "cache cmp_to_key lru_cache partial reduce",
        "hashlib": "md5 sha1 sha256 sha512",
        "itertools": "accumulate chain combinations combinations_with_replacement compress count cycle dropwhile "
        "filterfalse groupby pairwise permutations product repeat starmap takewhile tee zip_longest",
        "math": "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp "
        "expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp "
        "lgamma log log10 log1p log2 modf nan perm pi pow prod radians remainder sin sinh sqrt tan tanh tau trunc",
        "re": "A ASCII DOTALL I IGNORECASE M MULTILINE S VERBOSE X compile escape findall finditer fullmatch match "
        "search split sub subn",
        "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits printable punctuation "
        "whitespace",
        "typing": "Any Callable Deque Dict Final FrozenSet Generator Generic Iterable Iterator List Literal Mapping "
        "MutableMapping MutableSequence NamedTuple NoReturn Optional Sequence Set Tuple Type TypeVar Union cast",
    }.items()
}
"""The modules that a program may import, and what it finds in them."""

_EVENTS = frozenset({"compile", "exec"})
"""Audit events of running code; every other event is refused."""


class _Denied(BaseException):
    """Something was reached for that no computation needs."""


class _Stopped(BaseException):
    """The time of a run is over."""


class _State:
    """What must be known even if the program catches the exception that told of it."""

    def __init__(self) -> None:
        self.running = False
        self.denied: str | None = None
        self.stopped = False


def main() -> None:
    """Run the job on standard input."""
    job = json.loads(sys.stdin.buffer.read())
    positions = _load_positions()
    modules = {name: _facade(name, names) for name, names in MODULES.items() if name in job["program"]}
    state = _State()
    write, leave = os.write, os._exit
    _limit(job)
    _lock(state)
    names = {name: getattr(builtins, name) for name in BUILTINS}
    names |= {"print": _print, "__import__": _importer(modules)}
    for call in job["calls"]:
        found = {}
        for world, text, first in (
            ("original", job["program"], None),
            ("factual", job["rewritten"], 0),
            ("counterfactual", job["rewritten"], 1),
        ):
            count = positions["Positions"](first or 0, job["value_characters"])
            scope = {"__name__": "program", "__builtins__": dict(names)}
            if first is not None:
                scope |= {positions["HELPER"]: count.on, "range": count.range(), "enumerate": count.enumerate()}
            found[world] = _run(state, text, call, scope, count, job)
            if found[world]["status"] != "returned":
                break
        line = (json.dumps(found) + "\n").encode()
        while line:
            line = line[write(1, line) :]
    leave(0)


def _run(state: _State, text: str, call: str, scope: dict[str, Any], count: Any, job: dict[str, Any]) -> dict[str, Any]:
    """One call in one world."""
    state.denied, state.stopped = None, False
    status, shown = "raised", ""
    try:
        shown = _in_time(state, job["run_seconds"], lambda: _execute(text, call, scope))
        status = "returned" if len(shown) <= job["text_characters"] else "length"
    except _Denied:
        pass
    except _Stopped:
        state.stopped = True
    except MemoryError:
        status = "memory"
    except RecursionError:
        status = "recursion"
    except SystemExit:
        status = "exit"
    except BaseException as error:
        shown = type(error).__name__
    if count.undefined:
        status, shown = "undefined", ""
    if state.stopped:
        status, shown = "time", ""
    if state.denied:
        status, shown = "denied", state.denied
    return {
        "status": status,
        "text": shown[: job["text_characters"]],
        "uses": count.uses,
        "reads": {str(number): read for number, read in count.reads.items()},
    }


def _execute(text: str, call: str, scope: dict[str, Any]) -> str:
    exec(compile(text, "program", "exec", dont_inherit=True), scope)
    # The call is not rewritten: its arguments are what they are in every world.
    return repr(eval(compile(call, "call", "eval", dont_inherit=True), scope))


def _in_time(state: _State, seconds: float, function: Callable[[], str]) -> str:
    """The function's result; processor time counts, so a busy machine makes no difference."""
    try:
        state.running = True
        # The signal comes again and again, as a program may catch the first.
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.05)
        return function()
    finally:
        state.running = False
        signal.setitimer(signal.ITIMER_PROF, 0)


def _lock(state: _State) -> None:
    def stop(*_: object) -> None:
        if state.running:
            state.stopped = True
            raise _Stopped

    def deny(event: str, _: object) -> None:
        if event not in _EVENTS:
            state.denied = state.denied or event
            raise _Denied(event)

    def refused(name: str) -> Callable[..., None]:
        return lambda *_, **__: deny(name, None)

    signal.signal(signal.SIGPROF, stop)
    # These do harm without an event of their own.
    for module, name in (
        (_thread, "start_new_thread"),
        (_thread, "start_new"),
        (os, "write"),
        (os, "_exit"),
        (os, "abort"),
    ):
        if hasattr(module, name):
            setattr(module, name, refused(f"{module.__name__}.{name}"))
    sys.addaudithook(deny)


def _limit(job: dict[str, Any]) -> None:
    """Limits of the operating system; one that it does not know is left out."""
    seconds = job["process_seconds"]
    for name, value in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_AS", job["memory_bytes"]),
        ("RLIMIT_FSIZE", 0),
        # No file beyond the three that are open, no process beside this one.
        ("RLIMIT_NOFILE", 3),
        ("RLIMIT_NPROC", 0),
    ):
        if hasattr(resource, name):
            with suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (value, value))


def _load_positions() -> dict[str, Any]:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "positions.py")
    scope: dict[str, Any] = {"__name__": "positions"}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), scope)
    return scope


def _facade(name: str, names: frozenset[str]) -> SimpleNamespace:
    """A module with some of its names: the rest leads to other modules."""
    module = import_module(name)
    if name == "collections":
        # Counter imports it when it is asked for its most common elements, and by then nothing can be loaded.
        import_module("heapq")
    return SimpleNamespace(**{public: getattr(module, public) for public in names if hasattr(module, public)})


def _importer(modules: dict[str, SimpleNamespace]) -> Callable[..., SimpleNamespace]:
    def find(name: str, *_: object, **__: object) -> SimpleNamespace:
        if name not in modules:
            raise ImportError(name)
        return modules[name]

    return find


def _print(*_: object, **__: object) -> None:
    """What a program prints is no part of what it returns."""


if __name__ == "__main__":
    main()
