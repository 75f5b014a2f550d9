"""The code in the context is run by Python and must compute what the model computes."""

import ast
import builtins
import itertools
import keyword
import re
import textwrap
from collections import Counter
from functools import cache

import pytest

from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.suite.render.identifiers import SUBJECTS, nonce_subject
from counterpoise.rng import rng_for

SAFE = {"abs": abs, "max": max, "min": min, "range": range}


@cache
def cases():
    return [generate(GenerateConfig(suite="scm-code"), 9, index) for index in range(150)]


def source_of(case):
    return re.search(r"```python\n(.*?)\n```", case.context, re.DOTALL)[1]


def replaced(source, mechanism, line):
    """The source with the lines of a mechanism replaced by one line."""
    block = textwrap.indent(textwrap.dedent("  " + mechanism), "    ")
    assert source.count(block) == 1
    return source.replace(block, "    " + line)


def run(source, arguments):
    """All variables at the end of a call; the last statement, which hands back some of them, is taken off."""
    tree = ast.parse(source)
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node is tree.body[-1]]
    assert isinstance(function.body[-1], ast.Return)
    function.body[-1] = ast.parse("def f():\n    return dict(locals())").body[0].body[0]
    scope = {"__builtins__": SAFE | {"dict": dict, "locals": locals}}
    exec(compile(ast.fix_missing_locations(tree), "case", "exec"), scope)
    return scope[function.name](**arguments)


def argument_names(case):
    """Exogenous identifier to the argument that plays it."""
    scm = case.execution.scm
    unseen = {cause.identifier: cause.name for cause in case.exogenous}
    return {name: unseen.get(name) or scm.names[name.removeprefix("u_")] for name in scm.exogenous}


def value_of(case, identifier, value):
    """The Python value that an exogenous value stands for."""
    scm = case.execution.scm
    variable = identifier.removeprefix("u_")
    texts = next((cause.values for cause in case.exogenous if cause.identifier == identifier), None)
    if texts and texts[value] in ("True", "False"):
        return bool(value)
    return scm.labels[variable][value] if scm.mechanisms[variable] == identifier and variable in scm.labels else value


def worlds(case, count=40):
    """Random assignments of the arguments; all of them where there are few."""
    scm = case.execution.scm
    every = list(itertools.islice(itertools.product(*scm.exogenous.values()), count + 1))
    rng = rng_for(0, "worlds", case.id)
    if len(every) > count:
        every = [tuple(rng.choice(domain) for domain in scm.exogenous.values()) for _ in range(count)]
    return [dict(zip(scm.exogenous, values, strict=True)) for values in every]


def test_the_code_computes_what_the_model_computes():
    for case in cases():
        names, source = argument_names(case), source_of(case)
        for exogenous in worlds(case):
            arguments = {names[name]: value_of(case, name, value) for name, value in exogenous.items()}
            found = run(source, arguments)
            for name, text in case.execution.scm.run(exogenous).items():
                assert str(found[name]) == text, (case.context, name)


def test_the_code_with_the_line_of_the_question_computes_the_counterfactual_world():
    replaced_code = 0
    for case in cases():
        ((exposure, text),) = case.intervention.items()
        names, source = argument_names(case), source_of(case)
        literal = text if re.fullmatch(r"-?\d+", text) else f'"{text}"'
        assert f"{exposure} = {literal}" in case.question or f"`{exposure}` been {literal}" in case.question
        computed = any(child == exposure for _, child in case.edges)
        if computed:
            replaced_code += 1
            (mechanism,) = [line for line in case.mechanisms if re.match(rf"(if .*\n\s+)?{exposure} = ", line)]
            source = replaced(source, mechanism, f"{exposure} = {literal}")
        for exogenous in worlds(case, count=15):
            arguments = {names[name]: value_of(case, name, value) for name, value in exogenous.items()}
            if not computed:
                arguments[exposure] = ast.literal_eval(literal)
            found = run(source, arguments)
            for name, expected in case.execution.scm.run(exogenous, case.intervention).items():
                assert str(found[name]) == expected, (case.context, name)
    assert replaced_code >= 30


def test_arguments_and_their_ranges_are_stated():
    for case in cases():
        signature = [argument.arg for argument in ast.parse(source_of(case)).body[-1].args.args]
        names = argument_names(case)
        assert sorted(signature) == sorted(names.values())
        ranges = case.context.split("\n\n")[-2]
        for identifier, domain in case.execution.scm.exogenous.items():
            said = re.search(rf"`{names[identifier]}` is (.*?)(?:, `| and `|\. |\.$)", ranges)[1]
            values = [value_of(case, identifier, value) for value in domain]
            if isinstance(values[0], str):
                assert re.findall(r'"(\w+)"', said) == values
            elif isinstance(values[0], bool):
                assert said == "True or False"
            else:
                assert said == f"a whole number from {domain[0]} to {domain[-1]}"


def test_what_is_not_known_is_said():
    for case in cases():
        record = case.context.split("\n\n")[-1]
        unknown = {cause.name for cause in case.exogenous}
        unknown |= {v.name for v in case.variables if v.name not in case.execution.observed}
        last = record.split(". ")[-1] if unknown else ""
        assert set(re.findall(r"`(\w+)`", last)) == unknown


def test_every_kind_of_statement_occurs_and_the_code_is_short():
    text = "\n".join(source_of(case) for case in cases())
    for part in ("if ", "else:", "elif ", "min(", "max(", " % ", " // ", "for _ in range(", "}[", "return ", " and "):
        assert part in text, part
    assert len([line for line in text.split("\n") if line.startswith("def ")]) > len(cases())
    for case in cases():
        lines = source_of(case).split("\n")
        assert len(lines) <= 60
        assert max(map(len, lines)) <= 130


def test_both_kinds_of_answer_occur():
    kinds = Counter(case.answer_kind for case in cases())
    assert min(kinds["number"], kinds["label"]) >= 25
    for case in cases():
        if case.answer_kind == "label":
            words = case.execution.scm.labels["y"].values()
            assert all(word in case.question for word in words)


@pytest.mark.parametrize("subject", [*SUBJECTS, nonce_subject(rng_for(3, "nonce"))], ids=lambda subject: subject.name)
def test_subjects_have_enough_names_and_none_twice(subject):
    names = [*subject.functions, *subject.helpers, *subject.numbers, *subject.amounts, *subject.switches]
    names += [one.name for one in subject.worded]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and not keyword.iskeyword(name) and name not in dir(builtins) for name in names)
    assert {"value", "_"}.isdisjoint(names)
    assert len(subject.numbers) >= 9
    assert len(subject.helpers) >= 9
    assert min(len(subject.amounts), len(subject.switches)) >= 4
    for size in (2, 3):
        assert sum(len(one.words) == size for one in subject.worded) >= 4
    for one in subject.worded:
        assert len(set(one.words)) == len(one.words)
        assert "undetermined" not in one.words
