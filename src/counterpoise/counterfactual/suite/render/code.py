"""Python functions: the code, what was recorded of one call, and what is asked."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from string import Template

from counterpoise.counterfactual.case import UNDETERMINED, AnswerKind
from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.draw.programs import Program
from counterpoise.counterfactual.suite.draw.statements import Statement
from counterpoise.counterfactual.suite.render.identifiers import SUBJECTS, Subject, nonce_subject
from counterpoise.counterfactual.suite.render.story import Told, Unseen, listed

__all__ = ["CodeStory", "write"]

_OPENINGS = (
    "This Python function was called once.",
    "The Python function below was run once.",
    "Here is a Python function; one call of it was looked at.",
)
_INDEPENDENT = (
    "The arguments do not depend on each other.",
    "Any combination of arguments is possible.",
)
_OBSERVED = (
    "In that call, {values} when the function returned.",
    "When that call returned, {values}.",
)
_UNKNOWN = (
    "The {values} of {both} in that call {are} not known.",
    "Nothing was recorded of {any}.",
)
_ARGUMENT_QUESTIONS = (
    "Had `{exposure}` been {value} in that same call, with every other argument, known or not, as it was, what would "
    "`{outcome}` have been when the function returned?",
    "Suppose the same call had been made with `{exposure} = {value}` and every other argument, known or not, as it "
    "was. What would `{outcome}` have been at the end?",
)
_LINE_QUESTIONS = (
    "Had the code that computes `{exposure}` been replaced by the line `{exposure} = {value}` in that same call, with "
    "the same arguments, known or not, what would `{outcome}` have been when the function returned?",
    "Suppose that in that same call, with the same arguments, known or not, `{exposure} = {value}` had stood in place "
    "of the code that computes `{exposure}`. What would `{outcome}` have been at the end?",
)
_NUMBER_ANSWERS = (
    'Answer with a whole number, or with "undetermined" if what is known leaves more than one value possible.',
    'Give a whole number; answer "undetermined" when what was recorded does not settle the value.',
)
_WORD_ANSWERS = (
    'Answer with one of: {words}. "undetermined" is right if what is known leaves more than one value possible.',
    'Possible answers: {words}. Choose "undetermined" when what was recorded does not settle the value.',
)


@dataclass(frozen=True, slots=True)
class CodeStory:
    """A program with names.

    Attributes:
        program: the statements.
        domain_name: what the function is about.
        function: its name.
        names: identifier to name, unseen arguments and helper functions included.
        words: identifier to the words that the variable can be, in the order of its values.
        scm: the executable model.
    """

    program: Program
    domain_name: str
    function: str
    names: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    scm: SCM

    @property
    def answer_kind(self) -> AnswerKind:
        """A word where the outcome is one, else a number."""
        return "label" if "y" in self.words else "number"

    def settings(self, factual: str, rng: Random) -> str:
        """Another value of the exposure: another word, of an argument's range, or at most 4 away."""
        exposure = self._statement("x")
        if exposure.words:
            possible = [word for word in self.words["x"] if word != factual]
        elif exposure.lines:
            possible = [str(int(factual) + step) for step in range(-4, 5) if step]
        else:
            possible = [str(value) for value in exposure.domain if str(value) != factual]
        return rng.choice(possible)

    def told(self, evidence: Mapping[str, str], rng: Random) -> Told:
        """The code, what the arguments can be, and what was recorded of the call."""
        shuffled = list(self.program.statements)
        rng.shuffle(shuffled)
        arguments = [self._argument(statement) for statement in shuffled if not statement.lines]
        arguments += [self._unseen(statement) for statement in shuffled if statement.lines and statement.domain]
        rng.shuffle(arguments)
        code = self._code([name for name, _ in arguments])
        ranges = listed([f"`{name}` is {what}" for name, what in arguments])
        note = f"{ranges}." + (f" {rng.choice(_INDEPENDENT)}" if len(arguments) > 1 else "")
        opening, record = rng.choice(_OPENINGS), self._record(evidence, rng)
        return Told(
            f"{opening}\n\n```python\n{code}\n```\n\n{note}\n\n{record}",
            tuple("\n  ".join(self._lines(statement)) for statement in self.program.statements if statement.lines),
            {f"u_{s.variable}": self._words_of(s) for s in self.program.statements if s.domain},
        )

    def question(self, action: Mapping[str, str], rng: Random) -> str:
        """The counterfactual question."""
        exposure, outcome = self.names["x"], self.names["y"]
        templates = _LINE_QUESTIONS if self._statement("x").lines else _ARGUMENT_QUESTIONS
        question = rng.choice(templates).format(
            exposure=exposure, value=self._literal("x", action[exposure]), outcome=outcome
        )
        if "y" not in self.words:
            return f"{question} {rng.choice(_NUMBER_ANSWERS)}"
        possible = [*self.words["y"], UNDETERMINED]
        rng.shuffle(possible)
        return f"{question} {rng.choice(_WORD_ANSWERS).format(words=', '.join(possible))}"

    def _statement(self, identifier: str) -> Statement:
        return next(statement for statement in self.program.statements if statement.variable == identifier)

    def _literal(self, identifier: str, value: str) -> str:
        return f'"{value}"' if identifier in self.words else value

    def _argument(self, statement: Statement) -> tuple[str, str]:
        name = self.names[statement.variable]
        if statement.words:
            return name, listed([f'"{word}"' for word in self.words[statement.variable]], "or")
        return name, f"a whole number from {statement.domain[0]} to {statement.domain[-1]}"

    def _unseen(self, statement: Statement) -> tuple[str, str]:
        name = self.names[f"u_{statement.variable}"]
        if statement.switch:
            return name, "True or False"
        return name, f"a whole number from {statement.domain[0]} to {statement.domain[-1]}"

    def _words_of(self, statement: Statement) -> Unseen:
        """The words for the argument that is the variable, or that acts on it."""
        identifier = f"u_{statement.variable}" if statement.lines else statement.variable
        if statement.switch:
            values = {0: "False", 1: "True"}
        elif identifier in self.words:
            values = dict(enumerate(self.words[identifier]))
        else:
            values = {value: str(value) for value in statement.domain}
        return Unseen(self.names[identifier], values)

    def _lines(self, statement: Statement) -> list[str]:
        return [self._filled(line) for line in statement.lines]

    def _filled(self, line: str) -> str:
        words = {f"{name}_{value}": word for name, all_ in self.words.items() for value, word in enumerate(all_)}
        return Template(line).substitute(self.names, **words)

    def _code(self, arguments: list[str]) -> str:
        parts = []
        for statement in self.program.statements:
            if statement.helper:
                parts.append("\n".join(self._filled(line) for line in statement.helper))
        body = [line for statement in self.program.statements for line in self._lines(statement)]
        # What nothing else reads is handed back, so that no line is idle; the outcome always is.
        read = {parent for parent, _ in self.program.shape.edges}
        given_back = [
            self.names[statement.variable]
            for statement in self.program.statements
            if statement.lines and (statement.variable == "y" or statement.variable not in read)
        ]
        body.append(f"return {', '.join(given_back)}")
        head = f"def {self.function}({', '.join(arguments)}):"
        parts.append("\n".join([head, textwrap.indent("\n".join(body), "    ")]))
        return "\n\n\n".join(parts)

    def _record(self, evidence: Mapping[str, str], rng: Random) -> str:
        identifiers = {name: identifier for identifier, name in self.names.items()}
        seen = [f"`{name}` was {self._literal(identifiers[name], value)}" for name, value in evidence.items()]
        rng.shuffle(seen)
        text = rng.choice(_OBSERVED).format(values=listed(seen))
        unknown = [
            f"`{name}`"
            for identifier, name in self.names.items()
            if name not in evidence and not identifier.startswith("f_")
        ]
        if not unknown:
            return text
        unknown.sort()
        rng.shuffle(unknown)
        several = len(unknown) > 1
        return f"{text} " + rng.choice(_UNKNOWN).format(
            values="values" if several else "value",
            are="are" if several else "is",
            both=listed(unknown),
            any=listed(unknown, "or"),
        )


def write(program: Program, rng: Random, *, nonce: bool) -> CodeStory:
    """Name everything in a program.

    Args:
        program: the statements.
        rng: draws the subject and the names.
        nonce: use invented names and words, so that knowledge of the world is no help.
    """
    subject = nonce_subject(rng) if nonce else rng.choice(SUBJECTS)
    names, words = _chosen(program, subject, rng)
    variables = program.shape.variables
    scm = SCM(
        exogenous=program.exogenous,
        mechanisms=program.mechanisms,
        names={name: names[name] for name in variables},
        labels={name: dict(enumerate(words[name])) for name in variables if name in words},
    )
    return CodeStory(program, subject.name, rng.choice(subject.functions), names, words, scm)


def _chosen(program: Program, subject: Subject, rng: Random) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    numbers = iter(rng.sample(subject.numbers, len(subject.numbers)))
    amounts = iter(rng.sample(subject.amounts, len(subject.amounts)))
    switches = iter(rng.sample(subject.switches, len(subject.switches)))
    helpers = iter(rng.sample(subject.helpers, len(subject.helpers)))
    pools = {size: iter(rng.sample([one for one in subject.worded if len(one.words) == size], 4)) for size in (2, 3)}
    names: dict[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}
    for statement in program.statements:
        name = statement.variable
        if statement.words:
            chosen = next(pools[statement.words])
            names[name], words[name] = chosen.name, tuple(rng.sample(chosen.words, statement.words))
        else:
            names[name] = next(numbers)
        if statement.lines and statement.domain:
            names[f"u_{name}"] = next(switches if statement.switch else amounts)
        if statement.helper:
            names[f"f_{name}"] = next(helpers)
    return names, words
