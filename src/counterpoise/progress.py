"""Progress on standard error: a bar with the time remaining on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

__all__ = ["Progress"]

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows ``(done, total, what)`` reports; use as a context manager and call it.

    Each ``what`` is one bar, shown as plain text: a model's name may hold what looks like markup.
    """

    def __init__(self) -> None:
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, tuple[float, int]] = {}
        self._last_line = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        """Report that ``done`` of ``total`` units of ``what`` are finished."""
        if self._bars is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=total, completed=done)
            self._bars.update(self._tasks[what], completed=done, total=total)
        else:
            self._line(done, total, what)

    def _line(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        # A resumed run begins with much done already, which says nothing about its speed.
        started, first = self._started.setdefault(what, (now, done))
        if done < total and now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        left = f", about {(now - started) / (done - first) * (total - done):.0f} s left" if first < done < total else ""
        print(f"{what}: {done}/{total}{left}", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
            self._bars = Bars(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
