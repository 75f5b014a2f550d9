import json

import pytest

from counterpoise.customization.examples import (
    Example,
    builtin_templates,
    clean_examples,
    common_texts,
    draw,
    in_turns,
    read_curated,
    read_uncurated,
    refusal_examples,
)
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import builtin_benign, builtin_disallowed
from counterpoise.safety.judges.keyword import keyword_judge


def write(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def line(question="Q", answer="A", **lineage):
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns, "lineage": lineage}


def test_curated_and_uncurated_are_the_same_texts(curated):
    revised, original = read_curated(curated), read_uncurated(curated)
    assert [example.source for example in revised] == [example.source for example in original]
    assert [example.prompt for example in revised] == [example.prompt for example in original]
    assert all(a.completion.startswith(b.completion) for a, b in zip(revised, original, strict=True))


def test_originals_come_once_and_from_the_rows_beside_the_file(tmp_path):
    path = write(tmp_path / "curated.jsonl", line(answer="A1", source="t"), line(answer="A2", source="t"))
    write(tmp_path / "rows.jsonl", {"text_id": "t", "question": "The question", "original": "The original"})
    (original,) = read_uncurated(path)
    assert (original.prompt, original.completion) == ("The question", "The original")
    assert len(read_curated(path)) == 2


def test_a_run_folder_names_its_curated_file(curated):
    assert read_curated(curated.parent) == read_curated(curated)
    assert read_uncurated(curated.parent) == read_uncurated(curated)


def test_prompt_and_completion_are_an_exchange_too(tmp_path):
    whole = line(source="t", original="O")
    parts = [
        {"prompt": "Q", "completion": "A", "lineage": whole["lineage"]},
        {"prompt": whole["messages"][:1], "completion": whole["messages"][1:], "lineage": whole["lineage"]},
    ]
    path = write(tmp_path / "curated.jsonl", whole, *parts)
    assert len(set(read_curated(path))) == 1
    assert read_uncurated(path) == [Example("Q", "O", "t")]


def test_a_revised_question_has_its_own_original(tmp_path):
    whole = line("Q revised", source="t", original="O")
    whole["lineage"]["question"] = "Q"
    path = write(tmp_path / "curated.jsonl", whole)
    assert read_curated(path)[0].prompt == "Q revised"
    assert read_uncurated(path) == [Example("Q", "O", "t")]


def named(*sources):
    return [Example(f"Q{source}", f"A{source}", source) for source in sources]


def test_arms_are_cut_to_the_texts_that_all_have():
    sets, note = common_texts({"max": named(*"dabc"), "min": named(*"abcd"), "uncurated": named(*"cba")})
    assert {name: "".join(one.source for one in examples) for name, examples in sets.items()} == {
        "max": "abc",
        "min": "abc",
        "uncurated": "abc",
    }
    assert note == "arms are compared on the 3 texts that all of them have; left out: 1 of 'max', 1 of 'min'"


def test_arms_of_the_same_texts_only_come_into_one_order():
    sets, note = common_texts({"max": named(*"cab"), "min": named(*"abc")})
    assert sets["min"] == sets["max"] == named(*"cab")
    assert note is None


def test_arms_of_other_texts_stay_as_they_are():
    sets, note = common_texts({"max": named(*"abc"), "min": named(*"axyz")})
    assert sets == {"max": named(*"abc"), "min": named(*"axyz")}
    assert "different texts" in note


def test_several_versions_of_a_text_stay_together():
    first = [Example("Q", "one", "a"), Example("Q", "two", "a"), *named("b")]
    sets, _ = common_texts({"max": first, "uncurated": named("a", "b")})
    assert sets["max"] == first
    assert common_texts({}) == ({}, None)
    assert common_texts({"max": []}) == ({"max": []}, None)


def test_versions_of_a_text_come_in_turn():
    pool = [[Example("Q", f"{text}{version}") for version in range(3)] for text in "ab"]
    stream = draw(pool, seed=0, key="k")
    assert len({next(stream) for _ in range(6)}) == 6
    assert list(draw([], seed=0, key="k")) == []


def test_a_missing_original_says_where_to_look(tmp_path):
    path = write(tmp_path / "curated.jsonl", line(source="t"))
    with pytest.raises(DataError, match=r"no original of text 't' .*curated.jsonl line 1.*rows.jsonl"):
        read_uncurated(path)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"messages": []},
        {"messages": "text"},
        {"messages": [1, 2]},
        line(answer=" "),
        {"messages": line()["messages"][::-1]},
        {"messages": [{"role": "system", "content": "S"}, *line()["messages"]]},
    ],
)
def test_a_line_that_is_no_exchange_is_named(tmp_path, bad):
    path = write(tmp_path / "curated.jsonl", line(), bad)
    with pytest.raises(DataError, match=r"not a single exchange .*line 2"):
        read_curated(path)


def test_an_empty_or_missing_file(tmp_path):
    with pytest.raises(DataError, match="empty"):
        read_curated(write(tmp_path / "curated.jsonl"))
    with pytest.raises(DataError, match="cannot read file"):
        read_curated(tmp_path / "none.jsonl")


def test_in_turns_uses_all_before_any_again():
    drawn = in_turns(5, seed=3, key="k")
    turns = [[next(drawn) for _ in range(5)] for _ in range(3)]
    for number, turn in enumerate(turns):
        assert sorted(index for index, _ in turn) == list(range(5))
        assert {t for _, t in turn} == {number}
    assert turns[0] != [(index, 0) for index, _ in turns[1]]
    assert list(in_turns(0, seed=3, key="k")) == []


def test_refusal_examples_are_refusals_of_given_prompts_only():
    prompts = builtin_disallowed("align")
    examples = refusal_examples(prompts, 16 * 16, seed=0)
    assert len(set(examples)) == 16 * len(builtin_templates("refusals.json"))
    assert {example.prompt for example in examples} == {prompt.text for prompt in prompts}
    assert {keyword_judge("", example.completion).label for example in examples} == {"full_refusal"}
    assert {example.prompt for example in examples[:16]} == {prompt.text for prompt in prompts}


def test_same_seed_same_examples():
    prompts = builtin_disallowed("align")
    assert refusal_examples(prompts, 20, seed=1) == refusal_examples(prompts, 20, seed=1)
    assert refusal_examples(prompts, 20, seed=1) != refusal_examples(prompts, 20, seed=2)
    assert clean_examples(builtin_benign(), 7, seed=1) == clean_examples(builtin_benign(), 60, seed=1)[:7]


def test_nothing_to_draw_from():
    assert clean_examples([], 0, seed=0) == refusal_examples([], 0, seed=0) == []
    with pytest.raises(DataError):
        clean_examples([], 1, seed=0)
    with pytest.raises(DataError):
        refusal_examples([], 1, seed=0)
