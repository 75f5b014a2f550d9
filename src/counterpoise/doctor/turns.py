"""What can be wrong with a conversation before it is tokens, and what a chat template does to it."""

from collections.abc import Iterator, Sequence

from counterpoise.doctor.examples import Turn

__all__ = ["dropped", "empty", "out_of_order"]

_FOLLOWS: dict[str | None, tuple[str, ...]] = {
    None: ("system", "developer", "user"),
    "system": ("user",),
    "developer": ("user",),
    "user": ("assistant",),
    "assistant": ("user", "tool"),
    "tool": ("tool", "assistant"),
}


def out_of_order(turns: Sequence[Turn]) -> str | None:
    """The first turn that may not stand where it stands; ``None`` where all may.

    A system turn comes first if at all, then user and assistant take turns, with results of tools between two turns of
    the assistant, who has the last word.

    >>> out_of_order([{"role": "user"}, {"role": "user"}])
    "turn 2 is of 'user' after 'user'"
    """
    before = None
    for number, turn in enumerate(turns, start=1):
        if turn["role"] not in _FOLLOWS.get(before, ()):
            return f"turn {number} is of {turn['role']!r}" + (f" after {before!r}" if before else ", the first")
        before = turn["role"]
    return None if before == "assistant" else f"the last turn is of {before!r}"


def empty(turns: Sequence[Turn]) -> str | None:
    """The first turn of the assistant that says nothing and calls no tool; ``None`` where there is none."""
    for number, turn in enumerate(turns, start=1):
        if turn["role"] == "assistant" and not turn.get("tool_calls") and not any(map(str.strip, _texts(turn))):
            return f"turn {number} of the assistant is empty"
    return None


def dropped(turns: Sequence[Turn], rendered: str) -> str | None:
    """The first turn whose content is not in the rendered conversation, white space around it aside.

    >>> dropped([{"role": "system", "content": "Hi."}, {"role": "user", "content": "Hi. Who?"}], "[user] Hi. Who?")
    "turn 1 of 'system' is not in what the chat template makes of the conversation: 'Hi.'"
    """
    missing: list[tuple[int, str]] = []
    texts = [(place, text.strip()) for place, turn in enumerate(turns) for text in _texts(turn) if text.strip()]
    # Each is taken out where it is found, the longest first, so that no text stands in for another that holds it.
    for place, text in sorted(texts, key=lambda one: -len(one[1])):
        if text not in rendered:
            missing.append((place, text))
        rendered = rendered.replace(text, "\0", 1)
    if not missing:
        return None
    place, text = min(missing)
    shown = text if len(text) <= 40 else text[:39] + "…"
    role = turns[place]["role"]
    return f"turn {place + 1} of {role!r} is not in what the chat template makes of the conversation: {shown!r}"


def _texts(turn: Turn) -> Iterator[str]:
    content = turn.get("content")
    parts = [content] if isinstance(content, str) else [part.get("text") for part in content or ()]
    yield from (part for part in parts if isinstance(part, str))
