import json

import pytest

from counterpoise.customization.examples import (
    builtin_templates,
    clean_examples,
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
