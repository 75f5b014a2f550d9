"""Statements of a program, drawn twice over: once as lines of Python, once as an expression of the mechanism language.

The lines are templates, so the names can be chosen later. ``${x}`` stands for a variable, ``${u_x}`` for the unseen
argument that acts on it, ``${x_0}``, ``${x_1}``... for the words that a variable of words can be, ``${f_x}`` for a
helper function.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from counterpoise.counterfactual.expression import parse_expression

__all__ = ["Statement", "Writer"]

_WORLDS = 40
"""Random assignments that are run along, so that bounds and conditions lie where values are."""
_MAX_MAGNITUDE = 99
_TRIES = 40
_LINE = 80
"""Longest template of a conditional expression; a longer one is written as a statement."""
_JOINTS = (" and ", " or ")


@dataclass(frozen=True, slots=True)
class Statement:
    """How a variable comes about.

    Attributes:
        variable: the identifier.
        lines: Python that computes it, a template a line; empty for an argument.
        expression: the same in the mechanism language; of an argument, the exogenous variable.
        words: how many words it can be; 0 for a whole number.
        domain: values of the argument, or of the unseen argument that acts on it; empty where there is none.
        switch: whether that unseen argument is a truth value.
        helper: Python that defines the function which the lines call; empty where there is none.
    """

    variable: str
    lines: tuple[str, ...] = ()
    expression: str = ""
    words: int = 0
    domain: tuple[int, ...] = ()
    switch: bool = False
    helper: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Code:
    """An expression, in Python and in the mechanism language."""

    python: str
    mechanism: str


@dataclass(slots=True)
class _Body:
    """A statement in the making: its lines, its expression, and the expression that one more term can go behind."""

    lines: list[str]
    mechanism: str
    helper: tuple[str, ...] = ()
    open_end: bool = False


@dataclass(slots=True)
class Writer:
    """Writes statements; runs them on random worlds to see which values occur.

    Attributes:
        difficulty: 1 to 5.
        rng: draws everything.
        worlds: values of what has been written so far.
        words: number of words of each variable of words.
    """

    difficulty: int
    rng: Random
    worlds: list[dict[str, int]] = field(default_factory=lambda: [{} for _ in range(_WORLDS)])
    words: dict[str, int] = field(default_factory=dict)

    def argument(self, name: str, *, worded: bool) -> Statement:
        """A variable that is given from outside: a number or a word."""
        if worded:
            domain = tuple(range(self.rng.choice((2, 2, 3))))
            self.words[name] = len(domain)
        else:
            low = self.rng.randint(1, 2 + self.difficulty)
            domain = tuple(range(low, low + self.rng.randint(4, 5)))
        self._run(name, f"u_{name}", domain)
        return Statement(name, expression=f"u_{name}", words=self.words.get(name, 0), domain=domain)

    def statement(self, name: str, parents: Sequence[str], *, worded: bool, unseen: bool) -> Statement:
        """A variable that follows from others, all of which have been written before.

        Args:
            name: its identifier.
            parents: the variables that it reads.
            worded: whether it is a word and not a number.
            unseen: whether an unseen argument acts on it too.
        """
        size = 0
        if worded:
            numbers = any(parent not in self.words for parent in parents)
            size = 3 if numbers and self.difficulty >= 3 and self.rng.random() < 0.4 else 2
        for _ in range(_TRIES):
            body = self._wording(name, parents, size) if size else self._number(name, parents)
            values = self._values(body.mechanism)
            if max(map(abs, values)) <= _MAX_MAGNITUDE and len(set(values)) >= max(2, size):
                break
        domain, switch = self._add_unseen(name, body, size, values) if unseen else ((), False)
        self.words |= {name: size} if size else {}
        self._run(name, body.mechanism, domain)
        return Statement(name, tuple(body.lines), body.mechanism, size, domain, switch, body.helper)

    def _run(self, name: str, mechanism: str, domain: tuple[int, ...]) -> None:
        expression = parse_expression(mechanism)
        for world in self.worlds:
            if domain:
                world[f"u_{name}"] = self.rng.choice(domain)
            world[name] = expression.evaluate(world)

    def _values(self, mechanism: str) -> list[int]:
        expression = parse_expression(mechanism)
        return sorted(expression.evaluate(world) for world in self.worlds)

    def _within(self, mechanism: str) -> int:
        """A value that about as many worlds exceed as not, so that a comparison with it matters."""
        values = self._values(mechanism)
        return values[self.rng.randint(len(values) // 4, 3 * len(values) // 4)]

    # Expressions.

    def _sum(self, numbers: Sequence[str], words: Sequence[str] = (), constant: int | None = None) -> _Code:
        """A weighted sum of numbers, looked-up words and a constant; a constant alone where there is neither."""
        largest = 1 + (self.difficulty + 1) // 2
        weights = [weight for weight in range(-largest + 1, largest + 1) if weight]
        pieces = [(self.rng.choice(weights), name) for name in numbers]
        # A leading minus sign is hard to read, and "+ -" more so.
        pieces.sort(key=lambda piece: piece[0] < 0)
        if pieces:
            pieces[0] = (abs(pieces[0][0]), pieces[0][1])
        python = mechanism = ""
        for weight, name in pieces:
            times = f"{abs(weight)} * " if abs(weight) > 1 else ""
            sign = (" - " if weight < 0 else " + ") if python else ""
            python += f"{sign}{times}${{{name}}}"
            mechanism += f"{sign}{times}{name}"
        for name in words:
            looked_up = self._lookup(name)
            python += (" + " if python else "") + looked_up.python
            mechanism += (" + " if mechanism else "") + looked_up.mechanism
        if constant is None:
            constant = self.rng.randint(-2 - self.difficulty, 2 + self.difficulty)
        if constant or not python:
            sign = (" - " if constant < 0 else " + ") if python else ("-" if constant < 0 else "")
            python += f"{sign}{abs(constant)}"
            mechanism += f"{sign}{abs(constant)}"
        return _Code(python, mechanism)

    def _lookup(self, name: str) -> _Code:
        numbers = self.rng.sample(range(1, 6 + self.difficulty), self.words[name])
        entries = ", ".join(f'"${{{name}_{value}}}": {number}' for value, number in enumerate(numbers))
        mechanism = str(numbers[-1])
        for value in reversed(range(len(numbers) - 1)):
            mechanism = f"({numbers[value]} if {name} == {value} else {mechanism})"
        return _Code(f"{{{entries}}}[${{{name}}}]", mechanism)

    def _test(self, names: Sequence[str]) -> _Code:
        """A condition that reads every one of the names."""
        parts = []
        for name in names:
            if name in self.words:
                sign, value = self.rng.choice(("==", "==", "!=")), self.rng.randrange(self.words[name])
                parts.append(_Code(f'${{{name}}} {sign} "${{{name}_{value}}}"', f"{name} {sign} {value}"))
            elif self.difficulty >= 2 and self.rng.random() < 0.25:
                parts.append(_Code(f"${{{name}}} % 2 == 0", f"{name} % 2 == 0"))
            else:
                sign, bound = self.rng.choice((">", "<=")), self._within(name)
                parts.append(_Code(f"${{{name}}} {sign} {bound}", f"{name} {sign} {bound}"))
        joint = self.rng.choice((" and ", " or "))
        return _Code(joint.join(part.python for part in parts), joint.join(part.mechanism for part in parts))

    # Statements that give a number.

    def _number(self, name: str, parents: Sequence[str]) -> _Body:
        numbers = [parent for parent in parents if parent not in self.words]
        words = [parent for parent in parents if parent in self.words]
        target = f"${{{name}}}"
        if words and (self.difficulty < 4 or self.rng.random() < 0.5):
            return self._branch(target, words, numbers)
        forms = ["sum", "bound", "branch"]
        forms += ["remainder", "quotient", "steps"] if self.difficulty >= 2 else []
        forms += ["helper", "choice"] if self.difficulty >= 3 else []
        forms += ["loop", "loop", "table"] if self.difficulty >= 4 else []
        form = self.rng.choice(forms)
        if form in ("branch", "choice"):
            switch = self.rng.choice(list(parents))
            return self._branch(target, [switch], numbers, [word for word in words if word != switch], form)
        base = self._sum(numbers, words)
        match form:
            case "bound":
                function = self.rng.choice(("min", "max"))
                bound = self._within(base.mechanism)
                return _single(target, f"{function}(%s, {bound})", base)
            case "remainder":
                return _single(target, f"(%s) % {self.rng.randint(3, 4 + self.difficulty)}", base)
            case "quotient":
                return _single(target, f"(%s) // {self.rng.randint(2, 3)}", base)
            case "table":
                numbers_by_rest = self.rng.sample(range(10), 3)
                entries = ", ".join(f"{rest}: {number}" for rest, number in enumerate(numbers_by_rest))
                first, second, third = numbers_by_rest
                rest = f"({base.mechanism}) % 3"
                mechanism = f"({first} if {rest} == 0 else {second} if {rest} == 1 else {third})"
                return _Body([f"{target} = {{{entries}}}[({base.python}) % 3]"], mechanism, open_end=True)
            case "steps":
                return self._steps(target, base)
            case "helper":
                return self._helper(name, base)
            case "loop":
                return self._loop(target, base)
        return _single(target, "%s", base)

    def _branch(
        self, target: str, tested: Sequence[str], numbers: Sequence[str], words: Sequence[str] = (), form: str = ""
    ) -> _Body:
        test = self._test(tested)
        then, other = self._sum(numbers, words), self._sum(numbers, words)
        while other == then:
            other = self._sum(numbers, words)
        mechanism = f"({then.mechanism} if {test.mechanism} else {other.mechanism})"
        line = f"{target} = {then.python} if {test.python} else {other.python}"
        if form == "choice" and len(line) <= _LINE:
            return _Body([line], mechanism)
        return _Body(
            [f"if {test.python}:", f"    {target} = {then.python}", "else:", f"    {target} = {other.python}"],
            mechanism,
        )

    def _steps(self, target: str, base: _Code) -> _Body:
        bound = self._within(base.mechanism)
        sign, step = self.rng.choice("+-"), self.rng.randint(2, 3 + self.difficulty)
        return _Body(
            [f"{target} = {base.python}", f"if {target} > {bound}:", f"    {target} {sign}= {step}"],
            f"(({base.mechanism}) {sign} {step} if ({base.mechanism}) > {bound} else ({base.mechanism}))",
        )

    def _helper(self, name: str, base: _Code) -> _Body:
        number = self.rng.randint(2, 3 + self.difficulty)
        value = f"({base.mechanism})"
        text = self.rng.choice(
            (
                "abs({v} - {n})",
                "2 * min({v}, {n})",
                "{v} // 2 if {v} % 2 == 0 else {v} + {n}",
                "{v} - {n} if {v} > {n} else {n} - 2 * {v}",
            )
        )
        definition = (f"def ${{f_{name}}}(value):", f"    return {text.format(v='value', n=number)}")
        mechanism = f"({text.format(v=value, n=number)})"
        return _Body([f"${{{name}}} = ${{f_{name}}}({base.python})"], mechanism, definition, open_end=True)

    def _loop(self, target: str, base: _Code) -> _Body:
        start, times = self.rng.randint(0, 3), self.rng.randint(2, 3)
        mechanism = str(start)
        if self.rng.random() < 0.5:
            modulus = self.rng.randint(5, 11)
            for _ in range(times):
                mechanism = f"((2 * {mechanism} + {base.mechanism}) % {modulus})"
            step = [f"    {target} = (2 * {target} + {base.python}) % {modulus}"]
        else:
            bound = self.rng.randint(4, 12)
            # Each round repeats the expression of the round before three times.
            times = min(times, 3 if len(base.mechanism) < 40 else 2)
            for _ in range(times):
                mechanism = f"({mechanism} + {base.mechanism} if {mechanism} < {bound} else {mechanism} - 1)"
            step = [
                f"    if {target} < {bound}:",
                f"        {target} += {base.python}",
                "    else:",
                f"        {target} -= 1",
            ]
        return _Body([f"{target} = {start}", f"for _ in range({times}):", *step], mechanism)

    # Statements that give a word.

    def _wording(self, name: str, parents: Sequence[str], size: int) -> _Body:
        numbers = [parent for parent in parents if parent not in self.words]
        words = [parent for parent in parents if parent in self.words]
        order = self.rng.sample(range(size), size)
        target, said = f"${{{name}}}", [f'"${{{name}_{value}}}"' for value in order]
        if size == 3:
            base = self._sum(numbers, constant=0)
            values = self._values(base.mechanism)
            low, high = values[len(values) // 3], values[2 * len(values) // 3]
            # Words decide before numbers do.
            first = self._test(words) if words else _Code(f"{base.python} > {high}", f"{base.mechanism} > {high}")
            lines = [f"if {first.python}:", f"    {target} = {said[0]}"]
            lines += [f"elif {base.python} > {low}:", f"    {target} = {said[1]}", "else:", f"    {target} = {said[2]}"]
            rest = f"{order[1]} if {base.mechanism} > {low} else {order[2]}"
            return _Body(lines, f"({order[0]} if {first.mechanism} else {rest})")
        tests = []
        if numbers:
            base = self._sum(numbers, constant=0)
            bound = self._within(base.mechanism)
            tests.append(_Code(f"{base.python} > {bound}", f"{base.mechanism} > {bound}"))
        if words:
            tests.append(self._test(words))
        # With "and" and "or" mixed, the conditions would need brackets.
        single = len(tests) > 1 and len(words) > 1
        joint = " and " if single and " and " in tests[1].python else " or " if single else self.rng.choice(_JOINTS)
        test = _Code(joint.join(part.python for part in tests), joint.join(part.mechanism for part in tests))
        mechanism = f"({order[0]} if {test.mechanism} else {order[1]})"
        if self.difficulty >= 3 and self.rng.random() < 0.4:
            return _Body([f"{target} = {said[0]} if {test.python} else {said[1]}"], mechanism)
        return _Body(
            [f"if {test.python}:", f"    {target} = {said[0]}", "else:", f"    {target} = {said[1]}"], mechanism
        )

    # Unseen arguments.

    def _add_unseen(self, name: str, body: _Body, size: int, values: list[int]) -> tuple[tuple[int, ...], bool]:
        """Let an unseen argument act on the statement: a number that is added, or a switch that overrides it."""
        target, unseen = f"${{{name}}}", f"u_{name}"
        if not size and self.rng.random() < 0.6:
            body.mechanism = f"{body.mechanism} + {unseen}"
            if body.open_end:
                body.lines[-1] += f" + ${{{unseen}}}"
            else:
                body.lines.append(f"{target} += ${{{unseen}}}")
            return self.rng.choice(((-1, 0, 1), (0, 1, 2), (0, 1, 2, 3))), False
        fixed = self.rng.randrange(size) if size else self.rng.choice(values)
        shown = f'"${{{name}_{fixed}}}"' if size else str(fixed)
        body.lines += [f"if ${{{unseen}}}:", f"    {target} = {shown}"]
        body.mechanism = f"({fixed} if {unseen} else {body.mechanism})"
        return (0, 1), True


def _single(target: str, form: str, base: _Code) -> _Body:
    """A statement of one line; ``%s`` in the form stands for the sum."""
    python = form.replace("%s", base.python)
    return _Body([f"{target} = {python}"], form.replace("%s", base.mechanism), open_end=True)
