"""RNN-Typology: how an English sentence would read if English put subject, verb and object in another order.

Source: the synthetic sentences of Wu et al., "Reasoning or Reciting? Exploring the Capabilities and Limitations of
Language Models Through Counterfactual Tasks" (NAACL 2024), after Ravfogel et al., "Studying the Inductive Biases of
RNNs with Synthetic Variations of Natural Languages" (NAACL 2019). There is a file for each order; a row has a sentence
of three words in the English order, its verb, and the sentence in the file's order.

Every value here comes from running a structural causal model of the three words: the word order and the lexical items
give the constituents, the constituents give the sentence. The file's own reordered sentence is only compared with what
came out: a row that says something else is rejected, and so is a sentence that a file lists again.

The sixth file has the order of English itself. Under that order nothing is changed, so there is no intervention and no
case: it is not read.
"""

import re
from itertools import zip_longest
from pathlib import Path

from counterpoise.counterfactual.case import Case, Execution, Role, Variable
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.datasets.source_text import csv_rows
from counterpoise.counterfactual.scm import SCM
from counterpoise.errors import DataError
from counterpoise.rng import rng_for

__all__ = ["DATASET", "ORDERS", "read", "word_order_case"]

ORDERS = ("sov", "vso", "vos", "ovs", "osv")
"""The counterfactual orders, as the source's folders are called; the factual one is svo."""

_ENGLISH = "svo"
_PARTS = {"s": "subject", "v": "verb", "o": "object"}
_PLACES = ("first", "second", "third")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def word_order_case(subject: str, verb: str, object_: str, order: str) -> Case:
    """The case that asks for an English sentence in another order, with executed gold.

    Args:
        subject: a word, as the sentence writes it.
        verb: as ``subject``.
        object_: as ``subject``.
        order: one of :data:`ORDERS`.

    Raises:
        ValueError: a word is none or occurs twice, so that orders cannot be told apart, or there is no such order.

    >>> case = word_order_case("rosa", "greets", "omar", "vos")
    >>> case.target, case.variable("first constituent").counterfactual, dict(case.intervention)
    ('greets omar rosa.', 'greets', {'word order': 'verb-object-subject'})
    """
    if order not in ORDERS:
        raise ValueError(f"order {order!r} is none of {', '.join(ORDERS)}")
    words = (subject, verb, object_)
    for word in words:
        if not _WORD.fullmatch(word):
            raise ValueError(f"{word!r} is not a word")
    if len({word.casefold() for word in words}) != len(words):
        raise ValueError("a word occurs twice, so orders cannot be told apart")
    scm = _model(words)
    exogenous = {name: values[0] for name, values in scm.exogenous.items()}
    english, other = _in_words(_ENGLISH), _in_words(order)
    factual = scm.run(exogenous)
    counterfactual = scm.run(exogenous, {_ORDER: other})
    kept = [place for place in _PLACES if factual[_constituent(place)] == counterfactual[_constituent(place)]]
    return Case(
        id=f"rnn-typology-{order}-" + "_".join(words).casefold(),
        dataset="rnn-typology",
        modality="text",
        context=_context(words, factual[_SENTENCE]),
        question=(
            f"Suppose that the word order of English were {other} instead of {english}, and nothing else about the "
            "language were different. How would the sentence read?"
        ),
        answer_kind="label",
        variables=tuple(
            Variable(name=name, role=role, factual=factual[name], counterfactual=counterfactual[name], aliases=aliases)
            for name, role, aliases in _descriptions()
        ),
        edges=scm.edges,
        intervention={_ORDER: other},
        target=counterfactual[_SENTENCE],
        gold_kind="executed",
        source=_SOURCE,
        revision=_COMMIT,
        # The same words in another order are the same sentence to take apart.
        cluster="rnn-typology-" + "_".join(words).casefold(),
        # Where a constituent keeps its place, copying it is right.
        facets={"order": order.upper(), "kept_place": kept[0] if kept else "none"},
        execution=Execution(scm=scm, observed=(_ORDER, *_PARTS.values(), _SENTENCE)),
    )


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the files of the five counterfactual orders that the data folder has.

    Returns:
        The cases, order by order in turn, so that the first five have five orders, and in a fixed sequence that does
        not depend on that of the rows; and a reject for every row that repeats a sentence or cannot be used.

    Raises:
        DataError: there is no file, or one is malformed; names file and line.
    """
    found: list[list[Case]] = []
    rejects: list[Reject] = []
    for order in ORDERS:
        path = next((data / file for file in _files(order) if data is not None and (data / file).is_file()), None)
        if path is not None:
            cases, refused = _cases(path, order)
            rejects += refused
            found.append(rng_for(0, "rnn-typology", order).sample([cases[key] for key in sorted(cases)], len(cases)))
    if not found:
        raise DataError("no word-order file", where=str(data), expected=" or ".join(DATASET.files))
    return [case for cases in zip_longest(*found) for case in cases if case is not None], rejects


def _cases(path: Path, order: str) -> tuple[dict[str, Case], list[Reject]]:
    """The cases of a file by id, and what is refused."""
    cases: dict[str, Case] = {}
    first_seen: dict[str, str] = {}
    rejects: list[Reject] = []
    for where, row in csv_rows(path, _COLUMNS):
        sentence, verb, reordered = (" ".join(row[name].split()) for name in _COLUMNS)
        words = sentence.removesuffix(".").split()
        identity = f"rnn-typology-{order}-" + "_".join(words).casefold()
        short = f"{order}, {where.removeprefix(f'{path} ')}"
        if identity in first_seen:
            rejects.append(Reject(identity, f"the same item occurs twice ({short}, first {first_seen[identity]})"))
            continue
        case = _case(sentence, words, verb, reordered, order)
        if isinstance(case, Case):
            cases[identity] = case
            first_seen[identity] = short
        else:
            rejects.append(Reject(identity, f"{case} ({short})"))
    return cases, rejects


def _case(sentence: str, words: list[str], verb: str, reordered: str, order: str) -> Case | str:
    """The case of a row, or why there is none."""
    if len(words) != 3 or not sentence.endswith("."):
        return f"{sentence[:60]!r} is not three words and a full stop"
    if verb != words[1]:
        return f"the verb is given as {verb[:40]!r}, the second word is {words[1]!r}"
    try:
        case = word_order_case(words[0], words[1], words[2], order)
    except ValueError as error:
        return str(error)
    if reordered != case.target:
        return f"the file has {reordered[:60]!r}, execution gives {case.target!r}"
    return case


_ORDER, _SENTENCE = "word order", "sentence"


def _constituent(place: str) -> str:
    return f"{place} constituent"


def _in_words(order: str) -> str:
    return "-".join(_PARTS[letter] for letter in order)


def _model(words: tuple[str, str, str]) -> SCM:
    """Word order and lexical items give the constituents, in turn the sentence.

    A word is the number of its part of the sentence, so mechanisms are the same texts for all words and are parsed
    once; the sentence has the three numbers as its digits.
    """
    orders = (_ENGLISH, *ORDERS)
    letters = tuple(_PARTS)
    mechanisms = {"order": "u_order"} | {part: f"u_{part}" for part in _PARTS.values()}
    for index, place in enumerate(_PLACES):
        chosen = _PARTS[letters[-1]]
        for letter in letters[:-1]:
            here = " or ".join(f"order == {number}" for number, order in enumerate(orders) if order[index] == letter)
            chosen = f"{_PARTS[letter]} if {here} else ({chosen})"
        mechanisms[place] = chosen
    mechanisms["sentence"] = "first * 100 + second * 10 + third"
    of_letter = dict(zip(letters, words, strict=True))
    sentences = {
        int("".join(str(letters.index(letter)) for letter in order)): " ".join(of_letter[letter] for letter in order)
        for order in orders
    }
    return SCM(
        exogenous={"u_order": tuple(range(len(orders)))}
        | {f"u_{part}": (number,) for number, part in enumerate(_PARTS.values())},
        mechanisms=mechanisms,
        names={"order": _ORDER} | {place: _constituent(place) for place in _PLACES},
        labels={"order": {number: _in_words(order) for number, order in enumerate(orders)}}
        | {part: {number: words[number]} for number, part in enumerate(_PARTS.values())}
        | {place: dict(enumerate(words)) for place in _PLACES}
        | {"sentence": {number: f"{text}." for number, text in sentences.items()}},
    )


def _descriptions() -> list[tuple[str, Role, tuple[str, ...]]]:
    """Name, role and aliases of every variable."""
    order = ("order of the words", "constituent order", "order of the constituents", "word order of English")
    found: list[tuple[str, Role, tuple[str, ...]]] = [(_ORDER, Role.EXPOSURE, order)]
    found += [
        (part, Role.COVARIATE, (f"{part} of the sentence", f"the {part}", f"sentence {part}"))
        for part in _PARTS.values()
    ]
    for place in _PLACES:
        aliases = (f"{place} word", f"{place} place", f"{place} part", f"word at the {place} place")
        found.append((_constituent(place), Role.MEDIATOR, aliases))
    found.append(
        (_SENTENCE, Role.OUTCOME, ("whole sentence", "English sentence", "resulting sentence", "word sequence"))
    )
    return found


def _context(words: tuple[str, str, str], sentence: str) -> str:
    subject, verb, object_ = words
    return (
        f'An English sentence reads "{sentence}" Its subject is {subject}, its verb is {verb} and its object is '
        f"{object_}. The word order of English is {_in_words(_ENGLISH)}: the subject is the first constituent of a "
        "sentence, the verb is the second constituent and the object is the third constituent. In any word order, the "
        "sentence is the first, the second and the third constituent, in this sequence, and a full stop; the words "
        "themselves stay as they are."
    )


_SOURCE = "https://github.com/ZhaofengWu/counterfactual-evaluation"
_COMMIT = "2a03e7614e65b161f79d970b955d682d80308d96"
_COLUMNS = ("original_sent", "main_verb", "reordered_sent")
_DIGESTS = {
    "sov": "fca61c98b43b1976c04f630d2a7f930807a6324de5d7f4a9b193d5128ab9743b",
    "vso": "b7c2d1bcba2e51fa6719a01953bc909dceaf92313c19acfc87997ce4b856eddd",
    "vos": "b8ac88fb94149360c16f2908ac595c8f0ba700e8e31a75dce7f0bd56406e1625",
    "ovs": "51024f020bc1abacdfa3e879011b91c7e5cbc2569a033a3cef07c956bbc81036",
    "osv": "23f7b293b4157478b652a078ea8bdd8ab882c6312969979072e885739ba45bed",
}


def _files(order: str) -> tuple[str, ...]:
    """Where the file of an order may lie, best first; the source calls it ``test.csv``."""
    return (
        f"syntax/{order}/synthetic_test.csv",
        f"syntax/{order}/test.csv",
        f"syntax/data/synthetic_data/{order}/test.csv",
    )


DATASET = Dataset(
    name="rnn-typology",
    title="three-word sentences in five other word orders (RNN-Typology)",
    modality="text",
    gold_kind="executed",
    source=_SOURCE,
    revision=_COMMIT,
    licence="MIT",
    roles={
        Role.EXPOSURE: "the order of subject, verb and object",
        Role.COVARIATE: "the words that are subject, verb and object",
        Role.MEDIATOR: "the words at the first, second and third place",
        Role.OUTCOME: "the sentence",
    },
    gold="The word order and the words, run as a structural causal model; the source's own reordering must agree.",
    files=tuple(file for order in ORDERS for file in _files(order)),
    downloads=tuple(
        Download(
            path=_files(order)[0],
            repository="ZhaofengWu/counterfactual-evaluation",
            revision=_COMMIT,
            file=f"syntax/data/synthetic_data/{order}/test.csv",
            sha256=_DIGESTS[order],
        )
        for order in ORDERS
    ),
    read=read,
)
