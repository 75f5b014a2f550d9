"""Progress on standard error: a bar with the time remaining on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

__all__ = ["Progress"]

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows ``(done, total, what)`` reports; use as a context manager and call it.

    Each ``what`` is one bar. Text from files or models never reaches it, so markup cannot be injected.
    """

    def __init__(self) -> None:
        self._bars: Bars | None = None
        self._tasks: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._last_line = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        """Report that ``done`` of ``total`` units of ``what`` are finished."""
        if self._bars is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=total)
            self._bars.update(self._bars.tasks[self._tasks[what]].id, completed=done, total=total)
        else:
            self._line(done, total, what)

    def _line(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        started = self._started.setdefault(what, now)
        if done < total and now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        left = f", about {(now - started) / done * (total - done):.0f} s left" if 0 < done < total else ""
        print(f"{what}: {done}/{total}{left}", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bars = Bars(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
