"""The equations in the context are read back and must compute what the model computes."""

import re

from counterpoise.counterfactual.expression import parse_expression
from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.rng import rng_for


def read_equation(line):
    """``name = text`` to the name and an expression of the mechanism language."""
    text = line.replace(" mod ", " % ")
    text = re.sub(r"(\d)([a-z])", r"\1 * \2", text)
    if " if " in text:
        name = text.split(" = ")[0]
        then, rest = text.split(" = ", 1)[1].split(" if ")
        switch, other = rest.split(f", and {name} = ")
        return name, f"({then}) if {switch} else ({other.removesuffix(' otherwise')})"
    return tuple(text.split(" = ", 1))


def read_ranges(notes):
    ranges = {}
    for pattern in (
        r"(\w+) is set from outside: a whole number from (-?\d+) to (-?\d+)",
        r"(\w+) does not depend on the others; it is a whole number from (-?\d+) to (-?\d+)",
    ):
        ranges |= {name: (int(low), int(high)) for name, low, high in re.findall(pattern, notes)}
    unseen = re.search(
        r"(?:Nothing measures|Nobody can see) ([^;]*); (?:each|it) is a whole number from (-?\d+) to (-?\d+)", notes
    )
    if unseen:
        for name in re.split(r", | or ", unseen[1]):
            ranges[name] = (int(unseen[2]), int(unseen[3]))
    return ranges


def test_the_context_alone_gives_the_model():
    for index in range(120):
        case = generate(GenerateConfig(suite="scm-math"), 5, index)
        scm = case.execution.scm
        _, equations, notes, _ = case.context.split("\n\n")
        read = dict(read_equation(line) for line in equations.split("\n"))
        ranges = read_ranges(notes)
        shown = {f"u_{name}": f"u_{scm.names[name]}" for name in scm.mechanisms}
        roots = {name for name in scm.names.values() if name not in read}
        for name, domain in scm.exogenous.items():
            root = scm.names[name.removeprefix("u_")]
            assert ranges.pop(root if root in roots else shown[name]) == (domain[0], domain[-1])
        assert ranges == {}
        rng = rng_for(0, "worlds", index)
        for _ in range(5):
            exogenous = {name: rng.choice(domain) for name, domain in scm.exogenous.items()}
            expected = scm.run(exogenous)
            world = {shown[name]: value for name, value in exogenous.items()}
            world |= {
                scm.names[name.removeprefix("u_")]: value
                for name, value in exogenous.items()
                if shown[name][2:] in roots
            }
            for name in scm.order:
                if name in read:
                    world[name] = parse_expression(read[name]).evaluate(world)
                assert str(world[name]) == expected[name], (case.context, name)
