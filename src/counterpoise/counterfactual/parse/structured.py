"""Reading variables, edges, interventions and values in the many forms in which models write them."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.counterfactual.match import normalise
from counterpoise.counterfactual.parse.answer import is_placeholder
from counterpoise.counterfactual.parse.tolerant_json import bounded, clean, read_values

__all__ = ["Names", "parse_structured"]

MAX_ITEMS = 64
"""Most variables, edges or values read from one completion; further ones are ignored."""
MAX_ITEM_CHARS = 400

_NAME = ("name", "variable", "var", "variablename", "node", "id")
_ROLE = ("role", "causalrole", "type", "category")
_VALUE = ("value", "newvalue", "factualvalue", "counterfactualvalue", "setto", "to", "new", "state", "factual")
_CAUSE = ("cause", "from", "source", "parent", "start")
_EFFECT = ("effect", "to", "target", "child", "end")
_VARIABLES = ("variables", "variable", "vars", "variablelist", "nodes", "roles", "causalvariables")
_EDGES = ("edges", "edge", "graph", "causalgraph", "dag", "causaledges", "directededges", "relations", "links")
_INTERVENTION = ("intervention", "interventions", "do", "action", "change", "changes")
_VALUES = ("values", "value", "counterfactual", "counterfactualvalues", "predictions", "result", "answer")
_ROLES = {
    **{word: Role.EXPOSURE for word in ("exposure", "treatment", "cause", "x", "exposed")},
    **{word: Role.COVARIATE for word in ("covariate", "confounder", "z", "control", "commoncause", "background")},
    **{word: Role.MEDIATOR for word in ("mediator", "m", "mediating", "intermediate")},
    **{word: Role.OUTCOME for word in ("outcome", "effect", "y", "result", "response")},
}
_NO_VALUE = frozenset({"", "none", "null", "n/a", "na", "unknown", "not given", "no value", "..."})
_ARROW = re.compile(r"\s*(?:-{1,3}>|={1,3}>|→|⟶|⇒)\s*")
_CALL = re.compile(r"\s*do\s*\((.{1,400})\)\s*", re.IGNORECASE)

Names = Mapping[str, str]
"""Names as they are given, and their normalised spellings, to the name that is meant."""


def parse_structured(known: Names, stage: Stage, text: str) -> tuple[Any, str | None]:
    """The answer and a note about how it was read or ``None``; or ``None`` and the reason why there is no answer.

    Args:
        known: the names that the prompt gave.
        stage: any but the answer stage.
        text: the completion.
    """
    read = _READERS[stage]
    values = read_values(text)
    # One object a line instead of a list.
    lines = [value for value, whole in values if whole and isinstance(value, dict)]
    if len(lines) > 1 and len(lines) == len(values) and all(len(read(known, value) or "") == 1 for value in lines):
        merged = read(known, lines)
        return (merged, None) if merged else (None, "two different answers are given")
    # The last complete answer counts: a model that reasons or repeats the form first ends with what it means.
    for closed in (True, False):
        for value, whole in reversed(values):
            if whole is closed and (answer := read(known, value)) is not None:
                return answer, None if closed else "the completion was cut off; complete items were read"
    if stage is not Stage.VARIABLES and (answer := read(known, _lines(text))):
        return answer, None
    return None, f"no {_ASKED[stage]} could be read"


def _meant(known: Names, text: str) -> str | None:
    """The known name that a text means; ``None`` for other texts."""
    return known.get(text) or known.get(normalise(text))


def _lines(text: str) -> list[str]:
    lines = [line.strip(" \t-*•`\"'.,;") for line in bounded(text).splitlines()]
    return [line for line in lines if line and len(line) <= MAX_ITEM_CHARS]


def _key(key: str) -> str:
    return _letters(key[:40])


@lru_cache(maxsize=4096)
def _letters(key: str) -> str:
    return "".join(character for character in key.casefold() if character.isalnum())


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    return {_key(key): item for key, item in value.items() if _key(key) not in ("reasoning", "explanation", "thoughts")}


def _first(fields: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((fields[key] for key in keys if fields.get(key) is not None), None)


def _word(value: Any) -> str | None:
    """A scalar as one line of text; ``None`` for anything else and for empty, too long and placeholder texts."""
    if not isinstance(value, str):
        return None
    value = " ".join(clean(value).split())
    return value if 0 < len(value) <= MAX_ITEM_CHARS and not is_placeholder(value) else None


def _unwrap(value: Any, keys: tuple[str, ...]) -> Any:
    """What is behind the first of the keys, below up to three of them; the value itself when none is there."""
    for _ in range(3):
        inner = _first(_fields(value), keys) if isinstance(value, dict) else None
        if not isinstance(inner, dict | list) and not (isinstance(inner, str) and _ARROW.search(inner)):
            break
        value = inner
    return value


def _read_variables(known: Names, value: Any) -> list[dict[str, Any]] | None:
    items: list[tuple[str | None, Any, Any]] = []
    body = _unwrap(value, _VARIABLES)
    for item in body if isinstance(body, list) else [body]:
        if not isinstance(item, dict):
            continue
        fields = _fields(item)
        if (name := _word(_first(fields, _NAME))) is not None:
            items.append((name, _first(fields, _ROLE), _first(fields, _VALUE)))
            continue
        for key, inner in item.items():
            if _key(key) not in ("reasoning", "explanation", "thoughts"):
                items += _entries(key, inner)
    found: dict[str, dict[str, Any]] = {}
    for name, role, factual in items[:MAX_ITEMS]:
        if (word := _word(name)) is None:
            continue
        shown = _word(factual)
        shown = None if shown is None or shown.casefold() in _NO_VALUE else shown
        found.setdefault(word, {"name": word, "role": _role(role), "value": shown})
    return list(found.values()) or None


def _entries(key: str, value: Any) -> list[tuple[str | None, Any, Any]]:
    """Variables of one member such as ``"exposure": ["door"]``, ``"door": "exposure"`` or ``"door": {"role": ...}``."""
    named = isinstance(value, dict) and _role(_first(_fields(value), _ROLE)) is not None
    # A single letter is a variable's name rather than the short form of a role.
    role = _role(key) if len(_key(key)) > 1 and not named else None
    if role is None:
        if isinstance(value, dict):
            fields = _fields(value)
            return [(key, _first(fields, _ROLE), _first(fields, _VALUE))] if _first(fields, _ROLE) else []
        return [(key, value, None)] if _role(value) else []
    entries: list[tuple[str | None, Any, Any]] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            fields = _fields(item)
            if (name := _word(_first(fields, _NAME))) is not None:
                entries.append((name, role, _first(fields, _VALUE)))
            else:
                entries += [(inner, role, factual) for inner, factual in item.items()]
        else:
            entries.append((_word(item), role, None))
    return entries


def _role(value: Any) -> str | None:
    word = _key(value) if isinstance(value, str) and len(value) <= 40 else ""
    role = _ROLES.get(word) or _ROLES.get(word.removesuffix("variable")) or _ROLES.get(word.removesuffix("s"))
    return str(role) if role else None


def _read_edges(known: Names, value: Any) -> list[list[str]] | None:
    body = _unwrap(value, _EDGES)
    edges: list[list[str]] = []
    if isinstance(body, dict):
        edges = _edge(body) or _adjacency(body, wrapped=body is not value)
        if not edges:
            return None
    elif isinstance(body, list):
        items = body
        if len(items) == 2 and all(isinstance(item, str) and not _ARROW.search(item) for item in items):
            # A single edge as a pair of known names, without a list around it.
            items = [items] if all(_meant(known, str(item)) for item in items) else []
        for item in items:
            edges += _edge(item)
        # An empty list is an answer when it is the list that was asked for.
        if not edges and (items or body is value):
            return None
    else:
        edges = _edge(body)
        if not edges:
            return None
    unique = dict.fromkeys((cause, effect) for cause, effect in edges[:MAX_ITEMS])
    return [list(edge) for edge in unique]


def _edge(item: Any) -> list[list[str]]:
    """The edges that one item states: an object, a pair, or a chain such as ``"a -> b -> c"``."""
    if isinstance(item, dict):
        fields = _fields(item)
        ends = [_word(_first(fields, _CAUSE)), _word(_first(fields, _EFFECT))]
    elif isinstance(item, list) and len(item) == 2:
        ends = [_word(end) for end in item]
    elif isinstance(item, str) and len(item) <= MAX_ITEM_CHARS:
        ends = [_word(end.strip(" \t\"'`*()[]")) for end in _ARROW.split(item)]
    else:
        return []
    if len(ends) < 2 or any(end is None for end in ends):
        return []
    return [[str(cause), str(effect)] for cause, effect in itertools.pairwise(ends)]


def _adjacency(body: dict[str, Any], *, wrapped: bool) -> list[list[str]]:
    """Edges of ``{"a": ["b", "c"]}``, read only below a key that names the graph."""
    if not wrapped:
        return []
    return [
        [cause, effect]
        for cause, effects in body.items()
        if isinstance(effects, list)
        for item in effects
        if (effect := _word(item)) is not None
    ]


def _read_intervention(known: Names, value: Any) -> dict[str, str] | None:
    return _assignments(known, _unwrap(value, _INTERVENTION))


def _read_values(known: Names, value: Any) -> dict[str, str] | None:
    body = _unwrap(value, _VALUES)
    if isinstance(body, dict):
        # {"mediators": {...}, "outcome": {...}} or with lists below the roles.
        groups = [item for key, item in body.items() if len(key) > 1 and _role(key) and isinstance(item, dict | list)]
        body = [item for group in groups for item in (group if isinstance(group, list) else [group])] or body
    return _assignments(known, body)


def _assignments(known: Names, body: Any) -> dict[str, str] | None:
    """``{variable: value}`` from pairs, a mapping, or texts such as ``"door = open"``; free forms need a known name."""
    pairs: list[tuple[str | None, str | None]] = []
    for item in body if isinstance(body, list) else [body]:
        if isinstance(item, dict):
            fields = _fields(item)
            name = _word(_first(fields, _NAME))
            if name is not None and _first(fields, _VALUE) is not None:
                pairs.append((name, _word(_first(fields, _VALUE))))
            else:
                pairs += [(key, _word(inner)) for key, inner in item.items() if _meant(known, key)]
        elif isinstance(item, str):
            call = _CALL.fullmatch(item)
            for separator in ("=", ":", " is set to ", " to "):
                name_text, found, value_text = (call[1] if call else item).partition(separator)
                if found and _meant(known, name := name_text.strip(" \"'`*")):
                    pairs.append((name, _word(value_text.strip(" \"'`*"))))
                    break
    found_values: dict[str, str] = {}
    conflicting: set[str] = set()
    for name, value in pairs[:MAX_ITEMS]:
        if name is None or value is None:
            continue
        variable = _meant(known, name) or name
        if normalise(found_values.setdefault(variable, value)) != normalise(value):
            conflicting.add(variable)
    return {name: value for name, value in found_values.items() if name not in conflicting} or None


_READERS: dict[Stage, Callable[[Names, Any], Any]] = {
    Stage.VARIABLES: _read_variables,
    Stage.GRAPH: _read_edges,
    Stage.INTERVENTION: _read_intervention,
    Stage.ABDUCTION: _read_values,
    Stage.OUTCOME: _read_values,
}
_ASKED = {
    Stage.VARIABLES: "list of variables",
    Stage.GRAPH: "list of edges",
    Stage.INTERVENTION: "intervention",
    Stage.ABDUCTION: "value of an unseen cause",
    Stage.OUTCOME: "value of a mediator or outcome",
}
