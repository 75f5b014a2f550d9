"""The rules in the context are read back, by patterns of their own, and must compute what the model computes."""

import re

from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.suite.render.vocabulary import DOMAINS, nonce_domain, nonce_words
from counterpoise.rng import rng_for

BINARY = (
    r"The (?P<name>[\w ]+?) is (?P<then>[\w-]+) exactly when (?P<if>[^.]+?); otherwise it is (?P<else>[\w-]+)\.",
    r"Whenever (?P<if>[^.]+?), the (?P<name>[\w ]+?) is (?P<then>[\w-]+); in every other case it is (?P<else>[\w-]+)\.",
    r"The (?P<name>[\w ]+?) is (?P<else>[\w-]+) unless (?P<if>[^.]+?), in which case it is (?P<then>[\w-]+)\.",
    r"As for the (?P<name>[\w ]+?): it is (?P<then>[\w-]+) if (?P<if>[^.]+?), and (?P<else>[\w-]+) if not\.",
)
LADDER = (
    r"The (?P<name>[\w ]+?) is (?P<then>[\w-]+) if (?P<if>[^.]+?); failing that, it is (?P<then2>[\w-]+) "
    r"if (?P<if2>[^.]+?); in all other cases (?P<else>[\w-]+)\.",
    r"If (?P<if>[^.]+?), the (?P<name>[\w ]+?) is (?P<then>[\w-]+)\. If that is not so but (?P<if2>[^.]+?), it is "
    r"(?P<then2>[\w-]+)\. Otherwise it is (?P<else>[\w-]+)\.",
)
STICKING = (
    r"If [^.]+, however, it stays (?P<stick>[\w-]+) whatever the rule says\.",
    r"That holds unless [^.]+: then it is (?P<stick>[\w-]+) in any case\.",
)
INVERTING = (
    r"If [^.]+, however, it comes out the other way round: [^.]+\.",
    r"But if [^.]+, its two states trade places: [^.]+\.",
)
ROOT = (
    r"No rule governs the (?P<name>[\w ]+?); it is either (?P<states>[^.]+)\.",
    r"The (?P<name>[\w ]+?) is set from outside and is either (?P<states>[^.]+)\.",
)
ATOM = re.compile(r"the (?P<name>[\w ]+?) is (?P<negated>not )?(?P<state>[\w-]+)")


def first_match(patterns, text):
    found = [match for match in (re.match(pattern, text) for pattern in patterns) if match]
    return min(found, key=lambda match: match.end(), default=None)


def read_condition(text):
    atoms = [(m["name"], m["state"], bool(m["negated"])) for m in ATOM.finditer(text)]
    needed = {"at least one": lambda n: n >= 1, "exactly one": lambda n: n == 1, "at least two": lambda n: n >= 2}
    test = next((rule for words, rule in needed.items() if text.startswith(words)), lambda n: n == len(atoms))
    return lambda world: test(sum((world[name] == state) != negated for name, state, negated in atoms))


def read_rules(text):
    """Rules by name: ``(world, hidden) -> state``, and the states of what no rule governs."""
    rules, roots = {}, {}
    while text:
        if root := first_match(ROOT, text):
            roots[root["name"]] = set(re.split(r", | or ", root["states"]))
            text = text[root.end() :].lstrip()
            continue
        match = first_match(LADDER, text) or first_match(BINARY, text)
        if match is None:
            break
        parts = match.groupdict()
        text = text[match.end() :].lstrip()
        hidden = None
        if stick := first_match(STICKING, text):
            hidden, text = ("stick", stick["stick"]), text[stick.end() :].lstrip()
        elif flip := first_match(INVERTING, text):
            hidden, text = ("flip", ""), text[flip.end() :].lstrip()
        rules[parts["name"]] = (parts, hidden)
    return rules, roots


def apply(rule, world, holds):
    parts, hidden = rule
    if read_condition(parts["if"])(world):
        state = parts["then"]
    elif "if2" in parts and read_condition(parts["if2"])(world):
        state = parts["then2"]
    else:
        state = parts["else"]
    if not holds or hidden is None:
        return state
    return hidden[1] if hidden[0] == "stick" else ({parts["then"], parts["else"]} - {state}).pop()


def test_the_context_alone_gives_the_model():
    for index in range(150):
        case = generate(GenerateConfig(suite="scm-text"), 6, index)
        scm = case.execution.scm
        body = case.context.split("\n\n")[0]
        rules, roots = read_rules(body.split(". ", 1)[1])
        assert set(rules) | set(roots) == set(scm.names.values())
        for identifier, name in scm.names.items():
            if name in roots:
                assert roots[name] == set(scm.labels[identifier].values())
            else:
                assert (rules[name][1] is not None) == (f"u_{identifier}" in scm.exogenous)
        rng = rng_for(0, "worlds", index)
        for _ in range(8):
            exogenous = {name: rng.choice(domain) for name, domain in scm.exogenous.items()}
            expected = scm.run(exogenous)
            identifiers = {name: identifier for identifier, name in scm.names.items()}
            for name in rules:
                hidden = exogenous.get(f"u_{identifiers[name]}", 0)
                assert apply(rules[name], expected, hidden) == expected[name], (case.context, name)


def test_every_hidden_condition_is_declared_unseen():
    for index in range(60):
        case = generate(GenerateConfig(suite="scm-text"), 6, index)
        roots = {child for _, child in case.edges}
        noisy = any(case.execution.scm.names[name.removeprefix("u_")] in roots for name in case.execution.scm.exogenous)
        assert noisy == ("hidden condition" in case.context)


def test_domains_have_enough_things_and_no_ambiguous_words():
    for domain in (*DOMAINS, nonce_domain(rng_for(0, "nonce"))):
        sizes = [len(thing.states) for thing in domain.things]
        assert sizes.count(2) >= 10, domain.name
        assert sizes.count(3) >= 3, domain.name
        names = [thing.name for thing in domain.things]
        assert len(set(names)) == len(names)
        for thing in domain.things:
            assert len(set(thing.states)) == len(thing.states)
            assert "undetermined" not in thing.states
            assert all(re.fullmatch(r"[a-z]+(-[a-z]+)?", state) for state in thing.states), thing


def test_nonce_words_are_distinct_at_a_glance():
    words = nonce_words(60, rng_for(1, "nonce"))
    assert len({word[:4] for word in words}) == 60
    assert all(5 <= len(word) <= 9 for word in words)


def test_a_hidden_cause_is_named_by_its_clause_with_the_thing_in_place_of_it():
    checked = set()
    for suite in ("scm-text", "scm-image"):
        for index in range(100):
            case = generate(GenerateConfig(suite=suite), 6, index)
            for cause in case.exogenous:
                thing = case.execution.scm.names[cause.identifier.removeprefix("u_")]
                if cause.name == thing:
                    continue
                assert cause.values == {0: "no", 1: "yes"}
                said = cause.name.removeprefix("whether ")
                clause = said.replace(f"the {thing}'s", "its").replace(f"the {thing}", "it")
                assert clause != said
                assert any(clause in line and thing in line for line in case.mechanisms)
                checked.add(clause.split()[-1])
    assert len(checked) >= 20
