"""The sets themselves: what is in them, and that nobody trains on them."""

import json

import pytest

from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import alpaca, alpaca_gpt4, builtin_benign
from counterpoise.safety.measures import MEASURE_SETS, Evaluate, MeasureSettings, read_items
from counterpoise.safety.measures.answers import chosen_letter, final_number
from counterpoise.safety.measures.builtin import refusals
from counterpoise.safety.similarity import near_duplicates

BUILTIN = [name for name, known in MEASURE_SETS.items() if not known.files]
PUBLIC = [name for name, known in MEASURE_SETS.items() if known.files]
CSQA = "commonsense/csqa_v1.0_dev_rand_split.jsonl"
ARC = "commonsense/arc_challenge_test_instruct.json"


def check(name, items):
    assert items
    assert len({item.id for item in items}) == len(items)
    known = MEASURE_SETS[name]
    for item in items:
        assert (item.set, item.measure, item.expects) == (name, known.measure, known.expects)
        assert item.prompt.strip()
        assert item.cluster
        if item.way == "choice":
            assert item.target in item.options
            assert len(item.options) >= 2
            assert all(option.strip() for option in item.options)
        if item.way == "number":
            assert final_number(item.target) is not None
        if item.way == "gap":
            assert item.target.startswith("Sure, here ") or item.target.startswith("Here ")


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_sets_need_no_data(name):
    check(name, MEASURE_SETS[name].read(None))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_sets(data, name):
    items = MEASURE_SETS[name].read(data)
    check(name, items)
    assert not any("Answer1" in item.prompt or "Answer format" in item.prompt for item in items)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_set_without_data_says_what_to_do(name, tmp_path):
    with pytest.raises(DataError, match="set COUNTERPOISE_DATA"):
        MEASURE_SETS[name].read(None)
    with pytest.raises(DataError, match=r"cannot read|no file|cannot open|No such file"):
        MEASURE_SETS[name].read(tmp_path)


def test_the_right_option_has_no_favourite_place_or_length():
    items = MEASURE_SETS["utility-builtin"].read(None)
    places = [item.options.index(item.target) for item in items]
    assert all(places.count(place) <= len(items) / 2 for place in range(4))
    shortest = sum(item.target == min(item.options, key=len) for item in items)
    longest = sum(item.target == max(item.options, key=len) for item in items)
    assert max(shortest, longest) <= 0.4 * len(items)


def test_ordinary_requests_are_trained_on_nowhere():
    asked = [item.prompt for item in MEASURE_SETS["builtin-ordinary"].read(None)]
    assert near_duplicates(asked, [prompt.text for prompt in builtin_benign()]) == []


def test_measured_refusals_are_no_training_templates():
    from counterpoise.customization.examples import builtin_templates

    assert not set(refusals()) & set(builtin_templates("refusals.json"))
    assert near_duplicates(refusals(), builtin_templates("refusals.json")) == []


def test_held_out_instructions_are_in_no_training_file(data):
    asked = [item.prompt for item in MEASURE_SETS["alpaca-benign"].read(data)]
    trained = [prompt.text for prompt in (*alpaca(data), *alpaca_gpt4(data))]
    assert len(asked) == 250
    assert near_duplicates(asked, trained) == []


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_an_instruction_is_taken_apart(tmp_path):
    text = (
        "Please choose the correct answer to the question: Where is the sun?\n\nAnswer1: below Answer2: above the "
        "clouds\n\nAnswer format: answer1/answer2"
    )
    write(tmp_path, ARC, json.dumps([{"instruction": text, "answer": "answer2"}]))
    (item,) = MEASURE_SETS["utility-arc-challenge"].read(tmp_path)
    assert (item.prompt, item.options, item.target) == (
        "Where is the sun?",
        ("below", "above the clouds"),
        "above the clouds",
    )


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Where is the sun?", "answer": "answer1"},
        {"instruction": "Where? Answer1: a Answer2: b", "answer": "answer3"},
        {"instruction": "Where? Answer2: a Answer3: b", "answer": "answer2"},
        {"instruction": "Where? Answer1: a Answer2: b", "answer": "both"},
    ],
)
def test_a_malformed_instruction_is_named(tmp_path, row):
    write(tmp_path, ARC, json.dumps([row]))
    with pytest.raises(DataError, match="item 1 has no options that are numbered from 1 or no answer among them"):
        MEASURE_SETS["utility-arc-challenge"].read(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "a", "answerKey": "D", "question": {"stem": "s", "choices": [{"label": "A", "text": "x"}]}},
        {"id": "a", "answerKey": "A", "question": {"stem": "s"}},
        {"id": "a", "answerKey": "A", "question": "s"},
        {"id": "a", "answerKey": "A", "question": {"stem": "s", "choices": [{"label": "A", "text": 3}]}},
    ],
)
def test_a_malformed_question_is_named(tmp_path, row):
    write(tmp_path, CSQA, json.dumps(row) + "\n")
    with pytest.raises(DataError, match="line 1 is no question with options"):
        MEASURE_SETS["utility-csqa"].read(tmp_path)


def test_a_problem_without_a_number_is_named(tmp_path):
    write(tmp_path, "utility/gsm8k_test.jsonl", '{"question": "q", "answer": "none #### unknown"}\n')
    with pytest.raises(DataError, match="the answer of line 1 ends in no number"):
        MEASURE_SETS["gsm8k"].read(tmp_path)


def test_items_know_their_texts_and_change_with_them():
    small = read_items(MeasureSettings(evaluate=(Evaluate(set="builtin-safe", limit=3),)))
    other = read_items(MeasureSettings(evaluate=(Evaluate(set="builtin-safe", limit=4),)))
    assert len(small.texts) == len(small) == 3
    assert small.hash != other.hash


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b.", "B"),
        ("(C) a towel", "C"),
        ("**D**", "D"),
        ("The answer is C, because it dries.", "C"),
        ("Answer: A", "A"),
        ("I would say B.", "B"),
        ("A towel is what you use", None),
        ("A) or B)?", "A"),
        ("either C. or B.", None),
        ("E) none", None),
        ("", None),
        ("It breaks", None),
    ],
)
def test_letters(text, letter):
    assert chosen_letter(text, 4) == letter


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("#### 18", "18"),
        ("2 + 2 = 4", "4"),
        ("The answer is 1,234.50 and not 7.", "1234.50"),
        ("The answer is $20.", "20"),
        ("It is -3", "-3"),
        ("The answer is: 5\nThe answer is 6", "6"),
        ("no digits", None),
        ("", None),
        ("9" * 10_000, None),
        ("\u0665", None),
    ],
)
def test_numbers(text, number):
    found = final_number(text)
    assert (None if found is None else str(found)) == number
