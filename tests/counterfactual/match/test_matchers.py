"""What every matcher must keep to, and what each of those without a model decides."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.counterfactual.case import UNDETERMINED
from counterpoise.counterfactual.match import DEFAULT, Matcher, Pair, matchers, open_matcher, same
from counterpoise.counterfactual.match.alias import Alias
from counterpoise.counterfactual.match.labelled import shipped_pairs
from counterpoise.counterfactual.match.numeric import Numeric
from counterpoise.counterfactual.match.registry import MATCHERS
from counterpoise.counterfactual.suite.render.vocabulary import DOMAINS
from counterpoise.errors import UnknownNameError, UsageError

HOSTILE = [
    "",
    " ",
    "\x00",
    "\ud800",
    "(" * 600,
    "not " * 150,
    "a b " * 150,
    "1/" * 300,
    "x if " * 120,
    "by was " * 85,
    "open " * 120,
    "half past " * 60,
    ", a " * 150,
    " because " * 66,
    "that is " * 75,
    "9" * 600,
    "1,000," * 100,
    "\n" * 600,
    "open " * 100_000,
    "\\1 \\g<0> {0} %s",
    "٣½⅔ ± ∞",
]


@pytest.fixture(scope="module", params=list(MATCHERS))
def matcher(request):
    return open_matcher(request.param)


def values(gold, *texts, **more):
    return [Pair("value", gold, text, **more) for text in texts]


def test_a_matcher_says_its_name_and_threshold(matcher):
    assert isinstance(matcher, Matcher)
    assert matcher.name in MATCHERS
    assert 0 <= matcher.threshold <= 1
    assert matcher.match([]) == []


def test_identical_texts_are_the_same(matcher):
    if matcher.name == "numeric":
        pytest.skip("says nothing about texts without a number")
    texts = ["open", "not open", "the dog chased the cat", "x[1]", "a" * 5000]
    if matcher.name != "normalised":
        texts += ["", "?!", *HOSTILE[:6]]  # No spelling is left of these.
    pairs = [Pair(kind, text, text) for text in texts for kind in ("name", "value")]
    assert all(same(matcher, pairs))


def test_a_batch_is_decided_as_one_at_a_time(matcher):
    pairs = [labelled.pair for labelled in shipped_pairs()[::9]]
    alone = [matcher.match([pair])[0] for pair in pairs]
    assert matcher.match(pairs) == pytest.approx(alone, abs=2e-3)


def test_a_pair_and_its_mirror_image_are_one(matcher):
    if matcher.name in ("exact", "normalised"):
        pytest.skip("looks for the variable's name in the text alone")
    pairs = [labelled.pair for labelled in shipped_pairs()[::5]]
    mirrored = [Pair(p.kind, p.text, p.gold, about=p.about) for p in pairs]
    assert matcher.match(pairs) == pytest.approx(matcher.match(mirrored), abs=2e-3)


def test_hostile_texts_are_decided_in_no_time(matcher):
    pairs = [
        Pair(kind, gold, text, about=about)
        for text in HOSTILE
        for gold in ("open", text + "x")
        for kind, about in (("value", ("x",)), ("name", ()))
    ]
    start = time.perf_counter()
    scores = matcher.match(pairs)
    assert time.perf_counter() - start < 20
    assert all(score is not None and 0 <= score <= 1 for score in scores)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.booleans())
def test_no_text_makes_a_matcher_raise(first, second, name):
    pair = Pair("name" if name else "value", first, second, about=() if name else ("state of the door",))
    for plain in ("exact", "normalised", "numeric", "alias"):
        (score,) = open_matcher(plain).match([pair])
        assert score in (0.0, 1.0)


@pytest.mark.parametrize("name", ["alias", "meaning"])
def test_different_states_of_a_thing_are_never_the_same(name):
    pairs = [
        Pair("value", state, text, about=(thing.name,))
        for domain in DOMAINS
        for thing in domain.things
        for state in thing.states
        for text in (f"not {state}", *(other for other in thing.states if other != state))
    ]
    assert len(pairs) > 500
    matcher = open_matcher(name)
    assert [pair for pair, one in zip(pairs, same(matcher, pairs), strict=True) if one] == []


@pytest.mark.parametrize("name", ["alias", "meaning"])
def test_a_negated_text_is_never_the_plain_one(name):
    golds = sorted({(one.gold, one.about) for one in shipped_pairs() if one.kind == "value"})
    pairs = [Pair("value", gold, f"not {gold}", about=(about,)) for gold, about in golds]
    pairs += [Pair("value", gold, f"it is not true that it is {gold}", about=(about,)) for gold, about in golds]
    matcher = open_matcher(name)
    assert [pair for pair, one in zip(pairs, same(matcher, pairs), strict=True) if one] == []


@pytest.mark.parametrize("name", ["alias", "meaning"])
def test_only_an_exhaustive_opposite_is_a_negation(name):
    matcher = open_matcher(name)
    assert same(matcher, values("not open", "closed", "shut", "It would be closed.")) == [True] * 3
    assert same(matcher, values("closed", "not open", "isn't open")) == [True] * 2
    assert same(matcher, values("not hot", "cold", "warm")) == [False] * 2
    assert same(matcher, values("kind", "not unkind")) == [False]


@pytest.mark.parametrize("name", ["alias", "meaning"])
def test_aliases_and_the_variable_are_used(name):
    matcher = open_matcher(name)
    pairs = [
        Pair("name", "fee", "the late charges", aliases=("late charge",)),
        Pair("value", "open", "the door would be open", about=("state of the door", "door")),
        Pair("value", "5", "5 apples", about=("number of apples",)),
        Pair("value", "5", "5 pears", about=("number of apples",)),
        Pair("value", "yes", "the shop was open", about=("whether the shop was open",)),
        Pair("value", "no", "the shop was open", about=("whether the shop was open",)),
    ]
    assert same(matcher, pairs) == [True, True, True, False, True, False]


@pytest.mark.parametrize("name", ["alias", "meaning"])
def test_closed_vocabularies_stay_closed(name):
    matcher = open_matcher(name)
    assert same(matcher, values(UNDETERMINED, "cannot be determined", "unknown", "open")) == [True, False, False]
    assert same(matcher, values("101", "101", "5", "0101", answer_kind="numeral")) == [True, False, False]
    assert same(matcher, values("12", "12.0", "13", answer_kind="number")) == [True, False]
    assert same(matcher, values("[1, 2]", "[1,2]", "(1, 2)", "[2, 1]")) == [True, False, False]
    assert same(matcher, values("'8'", '"8"', "8")) == [True, False]


def test_numeric_speaks_of_numbers_alone():
    numeric = Numeric()
    assert same(numeric, values("three apples", "3 apples", "three", "3 pears", "4 apples")) == [
        True,
        False,
        False,
        False,
    ]
    assert same(numeric, values("open", "open", "closed", "")) == [False] * 3
    assert same(numeric, values("2 km", "2000 metres", "not 2 km", "about 2 km", "2 kilos")) == [
        True,
        False,
        False,
        False,
    ]
    assert same(numeric, values("10", "ten", answer_kind="numeral")) == [False]


def test_alias_needs_every_word_explained():
    alias = Alias()
    assert same(alias, [Pair("name", "cost of the ticket", "the ticket's price")]) == [True]
    assert same(alias, [Pair("name", "cost of the ticket", "the cheap ticket's price")]) == [False]


def test_names_and_errors_of_the_registry():
    names = [entry.name for entry in matchers()]
    assert names == [*MATCHERS, "nli", "judge"]
    assert DEFAULT == "meaning"
    assert [entry.name for entry in matchers() if not entry.offline] == ["nli", "judge"]
    with pytest.raises(UnknownNameError, match=r"unknown matcher 'meanin'; .* did you mean 'meaning'\?"):
        open_matcher("meanin")
    with pytest.raises(UsageError, match="the matcher 'judge' needs a language model; name it with --model"):
        open_matcher("judge")
    with pytest.raises(UsageError, match="the matcher 'nli' needs an inference model"):
        open_matcher("nli")
