"""How a program counts positions while it runs: from 0, as Python does, or from 1.

The semantics of the other world, called :data:`REWRITE`, follow "ThonPy" of Wu et al. ("Reasoning or Reciting?", NAACL
2024) and say what they leave open. Everything that holds its elements in an order counts: list, tuple, str, bytes,
bytearray, range and deque. With positions from 1,

- ``s[n]`` is the n-th element, read, stored or deleted; ``s[-1]`` stays the last one;
- there is no position 0: using one raises IndexError, in a slice too, and is noted even where the program catches it;
- ``s[a:b]`` goes from position a to before position b, ``s[a:b:-1]`` down to after b; a bound that is left out or
  negative means what it does in Python, and so does one beyond the end; the step is no position;
- ``index``, ``find`` and their ``r`` forms return positions from 1, and -1 still means "not found"; ``pop``, ``insert``
  and the bounds of ``index``, ``find``, ``count``, ``startswith`` and ``endswith`` take them;
- ``range(n)`` is 1, 2, ... before n and ``enumerate(s)`` counts from 1; where a start is given it is taken as it is.

Keys of dictionaries, lengths, counts, group numbers and whatever else is no position stay as they are. ``True`` is 1.

This file runs inside the sandbox as well, so it imports the standard library only, and little of that.
"""

from _collections import deque  # type: ignore[import-not-found]
from collections.abc import Callable
from operator import index as as_integer
from typing import Any

__all__ = ["HELPER", "REWRITE", "SEARCHES", "Positions", "View"]

REWRITE = "one-based-indexing 1"
"""Name and version of the semantics; the version is raised whenever a program may give something else."""
HELPER = "__on__"
"""What a rewritten program calls :meth:`Positions.on`; programs that use such names themselves are refused."""

SEARCHES = frozenset({"index", "rindex", "find", "rfind", "pop", "insert", "count", "startswith", "endswith"})
"""Methods of sequences that take or return positions."""

_SEQUENCES = (list, tuple, str, bytes, bytearray, range, deque)
_RETURN_POSITIONS = ("index", "rindex", "find", "rfind")


class Positions:
    """The count of one run of one program.

    Attributes:
        first: the position of the first element, 0 or 1.
        uses: how often a position that depends on ``first`` was used: one that is 0 or more, or a default start.
        undefined: whether position 0 was used where there is none.
        reads: number of an expression to the text of the first value that it gave, ``None`` where that is longer than
            the limit, and to ``uses`` before and after it was evaluated, with all that it is made of.
    """

    def __init__(self, first: int, limit: int = 60) -> None:
        self.first = first
        self.uses = 0
        self.undefined = False
        self.reads: dict[int, tuple[str | None, int, int]] = {}
        self._limit = limit

    def on(self, number: int | None = None) -> Callable[[Any], Any]:
        """What makes a value something to index: itself, or a view where it is a sequence.

        Args:
            number: of the expression that begins here, if its value is to be kept.
        """
        before = self.uses

        def view(value: Any) -> Any:
            if isinstance(value, _SEQUENCES):
                return View(self, value, number, before)
            if isinstance(value, type) and issubclass(value, _SEQUENCES):
                raise NotImplementedError("a method of a sequence type, without a sequence")
            return value

        return view

    def native(self, position: Any) -> Any:
        """The position as Python counts it; anything that is no position is given back."""
        if isinstance(position, slice):
            return slice(self.native(position.start), self.native(position.stop), position.step)
        try:
            number = as_integer(position)
        except TypeError:
            return position
        if number < 0:
            return number
        self.uses += 1
        if not self.first:
            return number
        if not number:
            self.undefined = True
            raise IndexError("there is no position 0")
        return number - self.first

    def counted(self, position: Any) -> Any:
        """A position that Python counted, as this world counts it; -1 for "not found" stays."""
        self.uses += 1
        return position + self.first if position >= 0 else position

    def note(self, number: int, value: Any, before: int) -> None:
        """Keep the text of the first value of an expression."""
        if number not in self.reads:
            text = None if _large(value, self._limit) else repr(value)
            self.reads[number] = (text if text is not None and len(text) <= self._limit else None, before, self.uses)

    def range(self) -> type:
        """What stands for the builtin ``range``."""
        count = self

        class Range(metaclass=_Kind, of=range):
            def __new__(cls, *bounds: Any) -> Any:
                if len(bounds) == 1:
                    count.uses += 1
                    return range(count.first, *bounds)
                return range(*bounds)

        return Range

    def enumerate(self) -> type:
        """What stands for the builtin ``enumerate``."""
        count = self

        class Enumerate(metaclass=_Kind, of=enumerate):
            def __new__(cls, values: Any, start: Any = None) -> Any:
                if start is None:
                    count.uses += 1
                    start = count.first
                return enumerate(values, start)

        return Enumerate


class View:
    """A sequence as a program indexes it; never kept by the program, which sees elements only."""

    __slots__ = ("_before", "_number", "_positions", "_value")

    def __init__(self, positions: Positions, value: Any, number: int | None, before: int) -> None:
        self._positions = positions
        self._value = value
        self._number = number
        self._before = before

    def __getitem__(self, position: Any) -> Any:
        found = self._value[self._positions.native(position)]
        if self._number is not None:
            self._positions.note(self._number, found, self._before)
        return found

    def __setitem__(self, position: Any, element: Any) -> None:
        self._value[self._positions.native(position)] = element

    def __delitem__(self, position: Any) -> None:
        del self._value[self._positions.native(position)]

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._value, name)
        if name not in SEARCHES:
            return method
        positions = self._positions

        def adapted(*arguments: Any) -> Any:
            # Only pop has its position first; insert is the other way round than the searches, but has it first too.
            if name in ("pop", "insert"):
                return method(*map(positions.native, arguments[:1]), *arguments[1:])
            found = method(*arguments[:1], *map(positions.native, arguments[1:]))
            return positions.counted(found) if name in _RETURN_POSITIONS else found

        return adapted


class _Kind(type):
    """Lets a stand-in be asked for as the builtin type that it stands for."""

    _of: type

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], of: type) -> "_Kind":
        kind = super().__new__(cls, name, bases, namespace)
        kind._of = of
        return kind

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], of: type) -> None:
        super().__init__(name, bases, namespace)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._of)


def _large(value: Any, limit: int) -> bool:
    """Whether a value has more elements than its text may have characters, which saves writing it out."""
    return hasattr(value, "__len__") and not isinstance(value, range) and len(value) > limit
