"""How much of the gold a tool alone finds: what a hint can be worth at most."""

from collections.abc import Sequence

from counterpoise.counterfactual.case import Case, Role, Variable
from counterpoise.counterfactual.match import Matcher, Pair, normalise, same
from counterpoise.counterfactual.tools.finding import Finding

__all__ = ["recall"]


def recall(case: Case, findings: Sequence[Finding], matcher: Matcher) -> dict[str, dict[str, int]]:
    """How many gold variables of each role are among the findings.

    A variable is found when some finding's text names it, as the matcher decides, or contains its factual value, whole
    words compared by spelling. A value counts wherever it stands, so a short one may be found by coincidence. A name
    that the matcher could not decide is not found. There is nothing to count as wrong: a tool is asked for what is
    there, not for variables.

    Returns:
        Role to ``tp`` (found) and ``fn`` (not found), for the roles that have variables; empty without gold variables.
    """
    texts = list(dict.fromkeys(finding.text for finding in findings))
    pairs = [
        Pair("name", variable.name, text, aliases=variable.aliases) for variable in case.variables for text in texts
    ]
    named = same(matcher, pairs) if pairs else []
    words = [normalise(text).split() for text in texts]
    counts: dict[str, dict[str, int]] = {}
    for index, variable in enumerate(case.variables):
        found = any(named[index * len(texts) : (index + 1) * len(texts)]) or _stated(variable, words)
        role = counts.setdefault(str(variable.role), {"tp": 0, "fn": 0})
        role["tp" if found else "fn"] += 1
    return {str(role): counts[str(role)] for role in Role if str(role) in counts}


def _stated(variable: Variable, texts: list[list[str]]) -> bool:
    """Whether a text contains the factual value; "not open" does not contain "open"."""
    value = normalise(variable.factual or "").split()
    if not value:
        return False
    for words in texts:
        starts = [place for place in range(len(words) - len(value) + 1) if words[place : place + len(value)] == value]
        if any("not" not in words[max(0, place - 1) : place] for place in starts):
            return True
    return False
