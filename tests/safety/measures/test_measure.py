"""Putting items to a model: rows, slices, resuming, and what cannot be asked."""

import json

import pytest
from pydantic import ValidationError

from counterpoise.errors import DataError, UnsupportedError
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import TokenLogprobs
from counterpoise.safety.judges import Judgement
from counterpoise.safety.measures import (
    MEASURE_SETS,
    Evaluate,
    Item,
    Items,
    MeasureRow,
    MeasureSettings,
    measure,
    measure_key,
    rates,
    read_items,
)
from counterpoise.safety.measures.run import SLICE

REFUSAL = "I'm sorry, but I can't help with that."


def settings(*names, **more):
    return MeasureSettings(
        evaluate=tuple(Evaluate(set=name) for name in names or ("builtin-disallowed",)),
        **{"judges": ("keyword",), **more},
    )


def run(model, items, chosen, **more):
    rows = []
    measure(model, items, chosen, **{"done": (), "keep": rows.append, "columns": {"run": "r", "model": "m"}} | more)
    return rows


def say(text):
    return FakeLM(lambda request, _: text)


class Hosted(FakeLM):
    """A model that cannot score given text."""

    def logprobs(self, pairs):
        raise UnsupportedError("this model cannot score a given text")


class Narrow(FakeLM):
    """A model whose window is too small for texts of many words."""

    def logprobs(self, pairs):
        if any(len(messages[-1]["content"].split()) > 20 for messages, _ in pairs):
            raise DataError("a text to score is too long")
        return super().logprobs(pairs)


class Judge:
    """A judge whose verdicts are given."""

    name = "scripted-1"

    def __init__(self, *verdicts):
        self.verdicts = verdicts
        self.calls = 0

    def __call__(self, pairs):
        self.calls += 1
        return [self.verdicts[at % len(self.verdicts)] for at in range(len(pairs))]


@pytest.mark.parametrize(
    ("name", "reply", "score"),
    [
        ("builtin-disallowed", REFUSAL, 1.0),
        ("builtin-disallowed", "Sure, here is what you asked for.", 0.0),
        ("builtin-safe", REFUSAL, 0.0),
        ("builtin-safe", "You can use a broom for that.", 1.0),
        ("builtin-ordinary", "You can use a broom for that.", 1.0),
    ],
)
def test_a_row_scores_what_is_expected(name, reply, score):
    chosen = settings(name)
    rows = run(say(reply), read_items(chosen), chosen)
    assert len(rows) == len(MEASURE_SETS[name].read(None))
    assert {row.score for row in rows} == {score}
    assert {(row.status, row.prompt_set, row.judge) for row in rows} == {("ok", name, "keyword-1")}
    assert {row.measure for row in rows} == {MEASURE_SETS[name].measure}


def test_rows_survive_a_file():
    chosen = settings("builtin-disallowed", "utility-builtin", "arithmetic-builtin", "perplexity-gap")
    for row in run(say("7"), read_items(chosen), chosen):
        text = row.model_dump_json()
        assert MeasureRow.model_validate_json(text) == row
        assert "Infinity" not in text
        assert json.loads(text)["kind"] == "verify"


def test_what_cannot_be_read_scores_nothing_and_stays():
    chosen = settings()
    (first, *_) = run(say(""), read_items(chosen), chosen)
    assert (first.status, first.score, first.reason) == ("parse_failed", 0.0, "empty completion")


def test_a_model_that_fails_is_a_row_with_the_reason():
    def broken(request, _):
        raise RuntimeError("the provider is down")

    chosen = settings("builtin-disallowed", "arithmetic-builtin")
    for row in run(FakeLM(broken), read_items(chosen), chosen):
        assert (row.status, row.score, row.reason) == ("model_failed", 0.0, "the provider is down")


def test_a_judge_that_fails_leaves_the_row_unscored():
    chosen = settings()
    judge = Judge(Judgement("full_refusal", "the judge broke", {"harmful": 0.0}, failed=True))
    (row, *_) = run(say("Hm, well."), read_items(chosen), chosen, judges=[judge])
    assert (row.status, row.score, row.reason, row.judge) == ("unscored", None, "the judge broke", "scripted-1")
    assert (row.label, row.values) == (None, {})


def test_a_judge_of_harm_alone_tells_no_refusals_but_its_values_stay():
    chosen = settings()
    judge = Judge(Judgement(None, "unsafe", {"harmful": 0.8, "broken": float("nan")}))
    rows = run(say("Hm, well."), read_items(chosen), chosen, judges=[judge])
    assert rows[0].status == "unscored"
    assert rows[0].reason == "the judge scripted-1 does not tell refusals: unsafe"
    assert rows[0].values == {"harmful": 0.8}
    found = {entry["metric"]: entry for entry in rates([row.model_dump(mode="json") for row in rows])}
    assert found["safety_rate"]["unscored"] == len(rows)
    assert set(found) == {"safety_rate", "attack_success_rate"}


def test_further_judges_are_beside_the_labelling_one():
    chosen = settings()
    first = Judge(Judgement("full_refusal", "it declines"))
    second = Judge(Judgement("full_compliance", "it helps", {"helpfulness_score": 4.0}))
    second.name = "second-1"
    (row, *_) = run(say("Hm, well."), read_items(chosen), chosen, judges=[first, second])
    assert (row.label, row.score) == ("full_refusal", 1.0)
    assert row.others["second-1"].label == "full_compliance"
    assert row.others["second-1"].values == {"helpfulness_score": 4.0}


def test_what_is_done_is_not_asked_again():
    chosen = settings("builtin-disallowed", "utility-builtin")
    items = read_items(chosen)
    whole = run(say(REFUSAL), items, chosen)
    model = say(REFUSAL)
    done = {measure_key(row.model_dump()) for row in whole[:-3]}
    rest = run(model, items, chosen, done=done)
    assert [row.prompt_id for row in rest] == [row.prompt_id for row in whole[-3:]]
    assert not model.requests, "what is left are questions, which are scored"


def test_nothing_left_opens_no_judge():
    chosen = settings(judges=("no-such-judge",))
    items = read_items(chosen)
    keys = {"safety|builtin-disallowed|" + item.id for item in items}
    assert run(say(""), items, chosen, done=keys) == []


def test_rows_are_kept_slice_by_slice(monkeypatch):
    monkeypatch.setitem(SLICE, "judged", 5)
    chosen = settings()
    kept, seen = [], []

    def respond(request, _):
        seen.append(len(kept))
        return REFUSAL

    measure(
        FakeLM(respond),
        read_items(chosen),
        chosen,
        done=(),
        keep=kept.append,
        columns={"run": "r", "model": "m"},
    )
    assert seen == [0] * 5 + [5] * 5 + [10] * 5 + [15]


def test_a_row_class_and_a_key_of_the_callers_own():
    class Wider(MeasureRow):
        cell: str

    chosen = settings()
    items = read_items(chosen)
    rows = run(
        say(REFUSAL),
        items,
        chosen,
        columns={"run": "r", "model": "m", "kind": "wide", "cell": "c"},
        row_class=Wider,
        key=lambda row: f"{row['cell']}|{measure_key(row)}",
        done={f"c|safety|builtin-disallowed|{items.items[0].id}"},
    )
    assert len(rows) == len(items) - 1
    assert {(row.kind, row.cell) for row in rows} == {("wide", "c")}


def test_a_persona_is_put_before_every_prompt_and_named_in_the_row():
    chosen = settings(system="You obey.", prefix="AOA: ")
    model = say(REFUSAL)
    (row, *_) = run(model, read_items(chosen), chosen)
    assert model.requests[0].messages == [
        {"role": "system", "content": "You obey."},
        {"role": "user", "content": f"AOA: {row.prompt}"},
    ]
    assert (row.system, row.prefix) == ("You obey.", "AOA: ")
    plain = {**row.model_dump(), "system": "", "prefix": ""}
    assert measure_key(plain) != measure_key(row.model_dump())


class Knowing(FakeLM):
    """A model under which one question raises one option, and another option is likely whatever is asked."""

    def __init__(self, question, raised, common):
        super().__init__()
        self.question, self.raised, self.common = question, raised, common

    def logprobs(self, pairs):
        return [
            TokenLogprobs((text,), ((-1.0 if text == self.common else -9.0) + self._gain(messages, text),))
            for messages, text in pairs
        ]

    def _gain(self, messages, text):
        return 3.0 if messages[-1]["content"] == self.question and text == self.raised else 0.0


def test_the_option_that_the_question_makes_likelier_is_chosen_not_the_common_one():
    (item, *_) = MEASURE_SETS["utility-builtin"].read(None)
    wrong = [option for option in item.options if option != item.target]
    chosen = settings("utility-builtin")
    (row,) = run(Knowing(item.prompt, item.target, wrong[0]), Items((item,)), chosen)
    assert (row.score, row.completion, row.judge) == (1.0, item.target, "answer-likelihood-1")
    assert row.values["margin"] == pytest.approx(3.0)
    (row,) = run(Knowing(item.prompt, wrong[1], wrong[0]), Items((item,)), chosen)
    assert (row.score, row.completion) == (0.0, wrong[1])
    assert row.values["margin"] == pytest.approx(-3.0)


def test_a_model_without_a_preference_is_not_right():
    (item, *_) = MEASURE_SETS["utility-builtin"].read(None)
    (row,) = run(FakeLM(), Items((item,)), settings("utility-builtin"))
    assert (row.score, row.values["margin"]) == (0.0, 0.0)


def test_an_option_that_is_impossible_gives_no_answer():
    (item, *_) = MEASURE_SETS["utility-builtin"].read(None)
    (row,) = run(FakeLM(logprob=lambda word: float("-inf")), Items((item,)), settings("utility-builtin"))
    assert (row.status, row.score) == ("model_failed", 0.0)


def test_questions_are_asked_for_the_letter_where_text_cannot_be_scored():
    items = Items(tuple(MEASURE_SETS["utility-builtin"].read(None)[:6]))
    chosen = settings("utility-builtin")
    rows = run(Hosted(lambda request, _: "B"), items, chosen)
    assert {row.judge for row in rows} == {"answer-letter-1"}
    assert [row.score for row in rows] == [float(item.options[1] == item.target) for item in items]
    (silent, *_) = run(Hosted(lambda request, _: "I do not know"), items, chosen)
    assert (silent.status, silent.score) == ("parse_failed", 0.0)


def test_a_gap_that_cannot_be_scored_says_why():
    chosen = settings("perplexity-gap")
    rows = run(Hosted(), read_items(chosen), chosen)
    assert {(row.status, row.score, row.reason) for row in rows} == {
        ("unscored", None, "this model cannot score a given text")
    }


def test_a_text_that_is_too_long_does_not_take_the_others_down():
    short = MEASURE_SETS["utility-builtin"].read(None)[0]
    long = Item(**{name: getattr(short, name) for name in Item.__slots__} | {"id": "long", "prompt": "word " * 50})
    rows = run(Narrow(), Items((short, long)), settings("utility-builtin"))
    assert [row.status for row in rows] == ["ok", "model_failed"]
    assert rows[1].reason == "a text to score is too long"


def test_the_gap_is_the_difference_of_log_perplexities():
    chosen = settings("perplexity-gap")
    model = FakeLM(logprob=lambda word: -1.0 if word == "Sure," else -2.0)
    (row, *_) = run(model, read_items(chosen), chosen)
    words = (row.target or "").split()
    harmful = (1.0 + 2.0 * (len(words) - 1)) / len(words)
    assert row.values["log_gap"] == pytest.approx(harmful - 2.0)
    assert (row.score, row.completion, row.judge) == (None, "", "log-perplexity-1")


def test_impossible_texts_give_no_number():
    chosen = settings("perplexity-gap")
    (row, *_) = run(FakeLM(logprob=lambda word: float("-inf")), read_items(chosen), chosen)
    assert (row.status, row.values) == ("unscored", {})


def test_smaller_limits_draw_from_what_larger_ones_draw():
    def ids(limit, seed=0):
        chosen = MeasureSettings(evaluate=(Evaluate(set="builtin-safe", limit=limit),), seed=seed)
        return [item.id for item in read_items(chosen)]

    assert set(ids(5)) < set(ids(12))
    assert ids(5) == ids(5) != ids(5, seed=1)
    assert len(ids(1000)) == 40
    assert ids(12) == sorted(ids(12)), "in the source's order"


def test_settings_are_checked():
    with pytest.raises(ValidationError, match="unknown set 'advbnch'"):
        Evaluate(set="advbnch")
    with pytest.raises(ValidationError, match="named twice: builtin-safe"):
        settings("builtin-safe", "builtin-safe")
    with pytest.raises(ValidationError, match="named twice: keyword"):
        settings(judges=("keyword", "keyword"))
    with pytest.raises(ValidationError, match="at least 1 item"):
        MeasureSettings(evaluate=())
    with pytest.raises(DataError, match="set COUNTERPOISE_DATA"):
        read_items(settings("advbench"))


def test_two_items_of_one_id_are_refused(monkeypatch):
    item = MEASURE_SETS["utility-builtin"].read(None)[0]
    twice = MEASURE_SETS["utility-builtin"].__class__("t", "utility", "answer", (), lambda _: [item, item])
    monkeypatch.setitem(MEASURE_SETS, "utility-builtin", twice)
    with pytest.raises(DataError, match="have one id"):
        read_items(settings("utility-builtin"))
