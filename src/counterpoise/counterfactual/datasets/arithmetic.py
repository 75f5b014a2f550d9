"""Arithmetic: additions that are read in base 10, asked for as if they were written in base 8, 9, 11 or 16.

Source of the expressions: Wu et al., "Reasoning or Reciting? Exploring the Capabilities and Limitations of Language
Models Through Counterfactual Tasks" (NAACL 2024). The files hold no answers; every value here comes from running the
addition as a structural causal model: the base and the operands' digits give the digit sum of each place, whose upper
digit is the carry into the next.

A file lists 1,000 expressions. A fixed sample of :data:`PER_FILE` distinct ones is used from each file, so that a run
over all of them stays short; the sample depends on the set of expressions in the file and not on their order.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from counterpoise.counterfactual.case import Case, Execution, Role, Variable
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.datasets.source_text import read_text
from counterpoise.counterfactual.scm import SCM
from counterpoise.errors import DataError
from counterpoise.rng import rng_for

__all__ = ["BASES", "DATASET", "PER_FILE", "addition_case", "read"]

BASES = (8, 9, 11, 16)
"""The counterfactual bases; the factual one is 10."""
PER_FILE = 100
"""How many expressions of a file become cases."""

_LENGTHS = (2, 3, 4)
_PLACES = ("units", "tens", "hundreds", "thousands")
_EXPRESSION = re.compile(r"\s*([0-9A-Za-z]+)\s*\+\s*([0-9A-Za-z]+)\s*")
_SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def addition_case(first: str, second: str, base: int) -> Case:
    """The case that asks for ``first + second`` in a base, with executed gold.

    Args:
        first: numeral in the base, upper case, one to four digits, no leading zeros.
        second: as ``first``.
        base: 2 to 16, not 10.

    Raises:
        ValueError: an operand is no such numeral; the message says why.

    >>> case = addition_case("76", "14", 9)
    >>> case.target, case.variable("sum").factual, case.facets["carries"]
    ('101', '90', '2')
    """
    for operand in (first, second):
        if fault := _fault(operand, base):
            raise ValueError(fault)
    places = max(len(first), len(second))
    scm = _model(first, second, base, places)
    exogenous = {name: values[0] for name, values in scm.exogenous.items()}
    counterfactual = scm.run(exogenous | {"u_base": base})
    # Digits beyond 9 have no meaning in base 10: there the factual digit sums, carries and sum do not exist.
    readable = not _fault(first, 10) and not _fault(second, 10)
    factual: Mapping[str, str] = scm.run(exogenous | {"u_base": 10}) if readable else {}
    expression = f"{first}+{second}"
    stated = {_BASE: "10", _FIRST: first, _SECOND: second}
    # Places whose digit sum has a carry digit, the leading place included.
    carries = sum(len(counterfactual[_digit_sum(place)]) > 1 for place in range(places))
    same = "undefined" if not readable else "yes" if factual[_SUM] == counterfactual[_SUM] else "no"
    return Case(
        id=f"arithmetic-b{base}-{expression}",
        dataset="arithmetic",
        modality="mathematics",
        context=_context(first, second, places, factual.get(_SUM)),
        question=f"Assume every number is written in base {base}. What is {expression}, written in base {base}?",
        answer_kind="numeral",
        variables=tuple(
            Variable(
                name=name,
                role=role,
                factual=stated.get(name, factual.get(name)),
                counterfactual=counterfactual[name],
                aliases=aliases,
                gloss=gloss,
            )
            for name, role, aliases, gloss in _descriptions(places)
        ),
        edges=scm.edges,
        intervention={_BASE: str(base)},
        target=counterfactual[_SUM],
        gold_kind="executed",
        source=_SOURCE,
        revision=_REVISION,
        # The same numerals in another base are the same digits to add: not an independent item.
        cluster=f"arithmetic-{expression}",
        facets={
            "base": str(base),
            "digits": str(places),
            "carries": str(carries),
            # Where the base changes nothing, copying the base-10 sum is right.
            "same_as_base_10": same,
        },
        execution=Execution(scm=scm, observed=tuple(stated)),
    )


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the zero-shot files that the data folder has.

    Returns:
        The cases, file by file in turn, so that the first twelve come from twelve files; and a reject for every line
        that repeats an expression or is not an addition in the file's base.

    Raises:
        DataError: there is no file, or a line is not an expression; names file and line.
    """
    sampled: list[list[Case]] = []
    rejects: list[Reject] = []
    for file in _FILES:
        if data is None or not (data / file.path).is_file():
            continue
        expressions, refused = _expressions(data / file.path, file.base)
        rejects += refused
        # From a sorted list: the order of the lines in the file must not matter.
        rng = rng_for(0, "arithmetic", file.path)
        chosen = rng.sample(sorted(expressions), min(PER_FILE, len(expressions)))
        sampled.append([addition_case(first, second, file.base) for first, second in chosen])
    if not sampled:
        raise DataError("no arithmetic file", where=str(data), expected=" or ".join(DATASET.files))
    return [case for cases in zip_longest(*sampled) for case in cases if case is not None], rejects


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    length: int
    base: int

    @property
    def download(self) -> Download:
        folder = "0shot" if self.length == 2 else f"0shot_{self.length}digits"
        return Download(
            path=self.path,
            repository="ZhaofengWu/counterfactual-evaluation",
            revision=_COMMIT,
            file=f"arithmetic/data/{folder}/base{self.base}.txt",
            sha256=_DIGESTS[self.length, self.base],
        )


_FILES = tuple(
    _File(f"arithmetic/0shot_{length}digits_base{base}.txt", length, base) for length in _LENGTHS for base in BASES
)

_DIGESTS = {
    (2, 8): "efc18aef503124da5d31794eb463f5d6ecca7468eeefac6a9f61a3f0cae8dabf",
    (2, 9): "b1e2669cc6c493df102dc9986ee6e46dfd7266b7bcf7332f3ca48599b66498e2",
    (2, 11): "9973299054fa700ae391a7fddeb0d06a3e3afcc605e8398353178beb19d0ebd3",
    (2, 16): "7b91e2e8bbd1bc245964fcbd8b78cda5822d1087e6d3b88ff6dbebedd6111b0d",
    (3, 8): "c98b39b0eddfd55707df605bedf465b5e2cbe1a339fd888c5ac0887af92a09de",
    (3, 9): "bf75a2caba97bb639772ec1de71cb43b748030601e1712e4fecc30b6e67d1fea",
    (3, 11): "cbae1f182967355d462e87b41e9b881b1d2af35441e6691c5a8c6ea5bde9242f",
    (3, 16): "aead4e412d6defed92c39dd478857d4331de432b874e1623745960e9142d4507",
    (4, 8): "2f6fb1bfb6ec41b88fb86d0ee836834882b2b609c088a73904d5fe6d37233812",
    (4, 9): "64dad68a484fd93544cfe8ab78069b2f8143d29eedffa815898bc1e6384789b8",
    (4, 11): "791fe360da4eca5847d90507183293e654b0af04a49bc8ff5e278ed0565acf13",
    (4, 16): "bc8b21201f29e1dc687851a532640d1584067fae9a6f90941939a59da90be884",
}
"""SHA-256 of the file for operands of so many digits in a base."""


def _expressions(path: Path, base: int) -> tuple[set[tuple[str, str]], list[Reject]]:
    """The distinct valid operand pairs of a file, and what is refused."""
    first_line: dict[tuple[str, str], int] = {}
    rejects: list[Reject] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        match = _EXPRESSION.fullmatch(line)
        if match is None:
            shown = line.strip()[:40]
            raise DataError(f"{shown!r} is not an addition", where=f"{path} line {number}", expected="such as 76+14")
        first, second = match[1].upper(), match[2].upper()
        identity = f"arithmetic-b{base}-{first}+{second}"
        place = f"{path.name} line {number}"
        if fault := _fault(first, base) or _fault(second, base):
            rejects.append(Reject(identity, f"{fault} ({place})"))
        elif (first, second) in first_line:
            earlier = first_line[first, second]
            rejects.append(Reject(identity, f"the same item occurs twice ({place}, first line {earlier})"))
        else:
            first_line[first, second] = number
    return set(first_line), rejects


def _fault(operand: str, base: int) -> str | None:
    """Why a numeral cannot be used in a base, or ``None``."""
    wrong = sorted({digit for digit in operand if _SYMBOLS.find(digit) not in range(base)})
    if wrong:
        return f"digit {wrong[0]} is not valid in base {base}"
    if not operand:
        return "an operand is empty"
    if len(operand) > len(_PLACES):
        return f"operand {operand} has more than {len(_PLACES)} digits"
    if operand.startswith("0") and operand != "0":
        return f"operand {operand} has a leading zero"
    return None


_BASE, _FIRST, _SECOND, _SUM = "number base", "first operand", "second operand", "sum"


def _digit_sum(place: int) -> str:
    return f"{_PLACES[place]} digit sum"


def _carry(place: int) -> str:
    return f"carry into {_PLACES[place]}"


def _model(first: str, second: str, base: int, places: int) -> SCM:
    """The addition as a model of what is written, not of what it is worth.

    A numeral is held as the integer that has the same digits in base 16, so an operand is the same text in every base,
    and everything that changes with the base has it as an ancestor in the graph. The digit sum of a place is the
    numeral, of one or two digits, of what is added there, in the base of the world; its upper digit is the carry.
    Mechanisms are the same texts for all operands, so they are parsed once.
    """
    mechanisms = {"base": "u_base", "first": "u_first", "second": "u_second"}
    names = {"base": _BASE, "first": _FIRST, "second": _SECOND, "sum": _SUM}
    written = []
    for place in range(places):
        weight = 16**place
        added = f"first // {weight} % 16 + second // {weight} % 16"
        if place:
            mechanisms[f"carry{place}"] = f"column{place - 1} // 16"
            names[f"carry{place}"] = _carry(place)
            added += f" + carry{place}"
        mechanisms[f"column{place}"] = f"({added}) // base * 16 + ({added}) % base"
        names[f"column{place}"] = _digit_sum(place)
        last = place == places - 1
        written.append(f"column{place} * {weight}" if last else f"column{place} % 16 * {weight}")
    mechanisms["sum"] = " + ".join(written)
    return SCM(
        exogenous={"u_base": (10, base), "u_first": (int(first, 16),), "u_second": (int(second, 16),)},
        mechanisms=mechanisms,
        names=names,
        numerals={name: 16 for name in mechanisms if name != "base"},
    )


def _descriptions(places: int) -> list[tuple[str, Role, tuple[str, ...], str]]:
    """Name, role, aliases and gloss of every variable."""
    found = [
        (
            _BASE,
            Role.EXPOSURE,
            ("base", "numeral base", "radix", "numeral system", "number system", "base of the numbers"),
            "the base that every number is written in",
        ),
        (_FIRST, Role.COVARIATE, ("first number", "first addend", "left operand", "operand 1"), ""),
        (_SECOND, Role.COVARIATE, ("second number", "second addend", "right operand", "operand 2"), ""),
    ]
    for place in range(places):
        here = _PLACES[place]
        singular = here.removesuffix("s")
        if place:
            found.append(
                (
                    _carry(place),
                    Role.MEDIATOR,
                    (f"carry to {here}", f"carry into the {here} place", f"{singular} carry", f"carry {here}"),
                    f"what the {_PLACES[place - 1]} place hands on",
                )
            )
        aliases = (f"sum of the {here} digits", f"{here} sum", f"{singular} digit sum", f"sum of {here}")
        gloss = "what is added in that place" + (", with the carry" if place else "")
        found.append((_digit_sum(place), Role.MEDIATOR, aliases, gloss))
    outcome = ("total", "result", "result of the addition", "total sum", "sum of the operands", "answer")
    found.append((_SUM, Role.OUTCOME, outcome, ""))
    return found


def _context(first: str, second: str, places: int, total: str | None) -> str:
    shown = f"{first} + {second}"
    reading = (
        f"Read that way, {shown} = {total}."
        if total is not None
        else f"Read that way, {shown} has no value, because base 10 has no letters among its digits."
    )
    return (
        f"Every number is written in base 10. The first operand is {first} and the second operand is {second}. "
        f"{reading} The places, from the right, are called {', '.join(_PLACES[:places])}, whatever the base. "
        "An addition goes from the right: the digits of a place and the carry into it give the digit sum of the place, "
        "a numeral in the same base whose upper digit, if it has one, is the carry into the next place (0 otherwise). "
        "In a base above 10, the letters A to F are the digits from ten to fifteen."
    )


_SOURCE = "https://github.com/ZhaofengWu/counterfactual-evaluation"
_REVISION = "zero-shot files of 1,000 lines"
_COMMIT = "2a03e7614e65b161f79d970b955d682d80308d96"

DATASET = Dataset(
    name="arithmetic",
    title="two- to four-digit additions in base 8, 9, 11 and 16",
    modality="mathematics",
    gold_kind="executed",
    source=_SOURCE,
    revision=_REVISION,
    licence="MIT",
    roles={
        Role.EXPOSURE: "base of the numerals: 10, then 8, 9, 11 or 16",
        Role.COVARIATE: "the two operands",
        Role.MEDIATOR: "digit sum of each place, and the carries between them",
        Role.OUTCOME: "the sum",
    },
    gold="The addition is run as a structural causal model in both bases; the files hold no answers.",
    files=tuple(file.path for file in _FILES),
    downloads=tuple(file.download for file in _FILES),
    read=read,
)
