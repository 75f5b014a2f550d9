"""One word order for what can be told in several: active voice, one side of each converse, condition first.

"The cat was chased by the dog", "it was the cat that the dog chased" and "the dog chased the cat" come out alike, so
that texts with exchanged parts do not.
"""

from collections.abc import Callable, Sequence

from counterpoise.counterfactual.match.reading.lexicon import Converse, Key, lexicon
from counterpoise.counterfactual.match.reading.stemming import stem
from counterpoise.counterfactual.match.reading.tokens import Token

__all__ = ["canonical"]

Tokens = list[Token]

_GIVING = frozenset(
    stem(verb)
    for verb in "give sell send lend hand show tell teach offer pay owe bring throw pass write read rent".split()
)
_SHORT_PASSIVE = ("ed", "en", "wn", "ght")


def canonical(tokens: Tokens) -> tuple[Tokens, bool]:
    """The tokens in canonical order, and whether anything was turned round. Each rewriting is tried once."""
    turned = False
    for rewrite in (_cleft, _condition, _active, _dative, _nominal, _one_sided):
        found = rewrite(tokens)
        if found is not None:
            tokens, turned = found, True
    return tokens, turned


def _names(tokens: Sequence[Token]) -> bool:
    return any(token.kind in ("word", "number") for token in tokens)


def _find(tokens: Sequence[Token], start: int, end: int, wanted: Callable[[Token], bool]) -> int | None:
    return next((place for place in range(start, end) if wanted(tokens[place])), None)


def _clause(tokens: Sequence[Token], position: int) -> tuple[int, int]:
    start, end = position, position
    while start and tokens[start - 1].kind not in ("end", "if"):
        start -= 1
    while end < len(tokens) and tokens[end].kind not in ("end", "if"):
        end += 1
    return start, end


def _cleft(tokens: Tokens) -> Tokens | None:
    """Tell "it was the cat that the dog chased" as "the dog chased the cat"."""
    start = _find(tokens, 0, len(tokens), lambda token: token.text == "it")
    if start is None or start + 1 >= len(tokens) or tokens[start + 1].kind != "be":
        return None
    that = _find(tokens, start + 2, len(tokens), lambda token: token.text in ("that", "who", "which"))
    if that is None:
        return None
    stressed, rest = tokens[start + 2 : that], tokens[that + 1 :]
    if not _names(stressed) or len([token for token in rest if token.kind == "word"]) < 2:
        return None
    told_of_object = rest[0].kind == "article"
    return [*tokens[:start], *((*rest, *stressed) if told_of_object else (*stressed, *rest))]


def _condition(tokens: Tokens) -> Tokens | None:
    """Tell "b if a" and "if a, b" alike: the condition, the link, and what depends on it."""
    place = _find(tokens, 0, len(tokens), lambda token: token.kind == "if" or token.text in ("before", "after"))
    if place is None:
        return None
    link = Token(tokens[place].text, "light", tokens[place].key)
    before = tokens[:place]
    if _names(before):
        if tokens[place].kind != "if":
            return None
        while before and before[-1].kind == "end":
            before.pop()
        after = tokens[place + 1 :]
        return [*after, link, *before] if _names(after) else None
    comma = _find(tokens, place + 1, len(tokens), lambda token: token.text in (",", "then"))
    if comma is None or not _names(tokens[place + 1 : comma]) or not _names(tokens[comma + 1 :]):
        return None
    first, second = tokens[place + 1 : comma], tokens[comma + 1 :]
    # "After A, B" is "B after A"; the converse relations then choose between "before" and "after".
    return [*first, link, *second] if tokens[place].kind == "if" else [*second, link, *first]


def _active(tokens: Tokens) -> Tokens | None:
    """Tell "the cat was chased by the dog" as "the dog chased the cat"; the first passive only."""
    for by, token in enumerate(tokens):
        if token.text != "by" or by + 1 == len(tokens):
            continue
        start, end = _clause(tokens, by)
        be = next((i for i in range(by - 1, max(start, by - 6) - 1, -1) if tokens[i].kind == "be"), None)
        if be is None:
            short = by > start and tokens[by - 1].kind == "word" and tokens[by - 1].text.endswith(_SHORT_PASSIVE)
            be = by - 1 if short else None
        if be is None or not _names(tokens[be:by]) or not _names(tokens[start:be]):
            continue
        agent_end = _find(tokens, by + 1, end, lambda token: token.kind == "light") or end
        agent = tokens[by + 1 : agent_end]
        if not any(t.kind == "word" for t in agent) or agent[0].text.endswith("ing"):
            continue
        verb = [t for t in tokens[be:by] if t.kind != "be"]
        return [*tokens[:start], *agent, *verb, *tokens[start:be], *tokens[agent_end:]]
    return None


def _dative(tokens: Tokens) -> Tokens | None:
    """Tell "Ben sold Ann the bike" as "Ben sold the bike to Ann"."""
    verb = _find(tokens, 0, len(tokens), lambda token: token.kind == "word" and token.key[0] in _GIVING)
    if verb is None:
        return None
    _, end = _clause(tokens, verb)
    end = _find(tokens, verb + 1, end, lambda token: token.kind == "light") or end
    if any(token.text == "to" for token in tokens[verb:]):
        return None
    second = _find(tokens, verb + 2, end, lambda token: token.kind in ("article", "number"))
    if second is None or not _names(tokens[verb + 1 : second]) or not _names(tokens[second:end]):
        return None
    receiver, gift = tokens[verb + 1 : second], tokens[second:end]
    return [*tokens[: verb + 1], *gift, Token("to", "light", ("to",)), *receiver, *tokens[end:]]


def _nominal(tokens: Tokens) -> Tokens | None:
    """Tell "the chase of the cat by the dog" as "the dog chase the cat", "support of x for y" as "x support y"."""
    of = _find(tokens, 1, len(tokens), lambda token: token.kind == "of")
    if of is None or tokens[of - 1].kind != "word":
        return None
    _, end = _clause(tokens, of)
    joint = _find(tokens, of + 2, end, lambda token: token.text in ("for", "by"))
    if joint is None or not _names(tokens[of + 1 : joint]) or not _names(tokens[joint + 1 : end]):
        return None
    owner, other = tokens[of + 1 : joint], tokens[joint + 1 : end]
    doer, done_to = (owner, other) if tokens[joint].text == "for" else (other, owner)
    return [*tokens[: of - 1], *doer, tokens[of - 1], *done_to, *tokens[end:]]


def _one_sided(tokens: Tokens) -> Tokens | None:
    """Tell the first converse relation from its canonical side: "B is younger than A" as "A is older than B"."""
    relations = lexicon().converses
    for position, token in enumerate(tokens):
        for converse in relations.get(_stems(token)[0], ()):
            parts = _matched(tokens, position, converse)
            if parts is None:
                continue
            verb_end, joint_start, joint_end = parts
            start, end = _clause(tokens, position)
            left, handed, right = tokens[start:position], tokens[verb_end:joint_start], tokens[joint_end:end]
            if not _names(left) or not _names(right):
                continue
            negations = max(one.negations for one in tokens[position:joint_end])
            relation = Token(" ".join(converse.canonical), "word", converse.canonical, negations, token.direct)
            if converse.flipped:
                left, right = right, left
            return [*tokens[:start], *left, relation, *handed, *right, *tokens[end:]]
    return None


def _stems(token: Token) -> Key:
    return token.key or (stem(token.text),)


def _matched(tokens: Sequence[Token], position: int, converse: Converse) -> tuple[int, int, int] | None:
    """Ends of the verb, of what is handed over, and of the joint; ``None`` where the relation is not told."""
    verb_end = _consumed(tokens, position, converse.verb)
    if verb_end is None:
        return None
    if not converse.joint:
        return verb_end, verb_end, verb_end
    for start in range(verb_end + 1, min(verb_end + 7, len(tokens))):
        if tokens[start].kind == "end":
            return None
        end = _consumed(tokens, start, converse.joint)
        if end is not None:
            return verb_end, start, end
    return None


def _consumed(tokens: Sequence[Token], position: int, wanted: Key) -> int | None:
    """Where the tokens that spell the wanted stems end; articles between them are skipped."""
    done = 0
    while done < len(wanted):
        if position >= len(tokens):
            return None
        stems = _stems(tokens[position])
        if done and tokens[position].kind == "article":
            position += 1
            continue
        if wanted[done : done + len(stems)] != stems:
            return None
        done += len(stems)
        position += 1
    return position
