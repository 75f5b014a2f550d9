"""Stop strings: seeing one as soon as it is written, without reading the whole text at every token."""

from collections.abc import Callable, Sequence

__all__ = ["StopWatch", "cut_at_stop"]

Decode = Callable[[Sequence[int]], str]


def cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """The text before the earliest stop string, and whether there was one; empty stop strings are ignored.

    >>> cut_at_stop("a b; c", ["c", ";"])
    ('a b', True)
    """
    found = [position for stop in stops if stop and (position := text.find(stop)) >= 0]
    return (text[: min(found)], True) if found else (text, False)


class StopWatch:
    """Watches one row.

    Args:
        decode: from token ids to text.
        stops: the row's stop strings.
    """

    def __init__(self, decode: Decode, stops: Sequence[str]) -> None:
        self._decode = decode
        self._stops = tuple(stop for stop in stops if stop)
        # A token writes at least one byte, so a stop string that has just been completed lies within this many last
        # tokens; four more let a character that spans tokens come out whole.
        self._reach = max((len(stop.encode()) for stop in self._stops), default=0) + 4

    def seen(self, tokens: Sequence[int]) -> bool:
        """Whether a stop string is in the text of the tokens, asked after every token."""
        if not self._stops:
            return False
        tail = self._decode(tokens[-self._reach :])
        if not any(stop in tail for stop in self._stops):
            return False
        # The tail alone may decode differently from the whole (a leading space): the whole text decides.
        return cut_at_stop(self._decode(tokens), self._stops)[1]
