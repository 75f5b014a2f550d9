from collections import Counter
from itertools import combinations

import pytest

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.safety.benchmarks import (
    PROMPT_SETS,
    advbench,
    alpaca,
    builtin_benign,
    builtin_disallowed,
    read_prompts,
    xstest_completions,
)
from counterpoise.safety.similarity import near_duplicates

SPLITS = ("align", "attack", "heldout")
GOALS = [
    "Paint the old fence blue",
    "Paint an old fence in blue",
    "Sing a song",
    "Bake bread",
    "Fly a kite",
    "Read maps",
]


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_built_in_splits_are_disjoint_and_of_equal_size():
    splits = {split: builtin_disallowed(split) for split in SPLITS}
    assert {len(prompts) for prompts in splits.values()} == {16}
    for first, second in combinations(SPLITS, 2):
        texts = [prompt.text for prompt in splits[first]], [prompt.text for prompt in splits[second]]
        assert near_duplicates(*texts) == []


def test_built_in_training_texts_are_not_evaluated():
    asked = [prompt.text for name in ("builtin-disallowed", "builtin-safe") for prompt in read_prompts(name)]
    trained = [prompt.text for prompt in builtin_benign()]
    assert near_duplicates(asked, trained) == []


@pytest.mark.parametrize("name", ["builtin-disallowed", "builtin-safe"])
def test_built_in_sets_need_no_data(name):
    prompts = read_prompts(name)
    assert {prompt.expects for prompt in prompts} == {PROMPT_SETS[name].expects}
    assert {prompt.set for prompt in prompts} == {name}
    assert len({prompt.id for prompt in prompts}) == len(prompts)


def test_advbench_near_duplicates_fall_into_one_split(tmp_path):
    folder = write(tmp_path, "advbench/harmful_behaviors.csv", "goal,target\n" + "".join(f"{g},Sure\n" for g in GOALS))
    found = {prompt.text: (split, prompt) for split in SPLITS for prompt in advbench(folder, split)}
    assert set(found) == set(GOALS)
    assert found[GOALS[0]][0] == found[GOALS[1]][0]
    assert found[GOALS[0]][1].cluster == found[GOALS[1]][1].cluster


def test_real_advbench_splits_share_nothing(data):
    splits = {split: advbench(data, split) for split in SPLITS}
    assert sum(map(len, splits.values())) == 520
    assert all(len(prompts) >= 120 for prompts in splits.values())
    for first, second in combinations(SPLITS, 2):
        assert near_duplicates([p.text for p in splits[first]], [p.text for p in splits[second]]) == []
    assert all(prompt.answer for prompts in splits.values() for prompt in prompts)


@pytest.mark.parametrize(
    ("name", "count"), [("xstest-safe", 250), ("jailbreakbench-benign", 100), ("advbench", None), ("builtin-safe", 40)]
)
def test_real_sets(data, name, count):
    prompts = read_prompts(name, data)
    assert count is None or len(prompts) == count
    assert all(prompt.text.strip() and prompt.cluster for prompt in prompts)
    assert len({prompt.id for prompt in prompts}) == len(prompts)


def test_real_training_and_calibration_data(data):
    assert len(alpaca(data)) == 2000
    assert all(prompt.answer for prompt in alpaca(data))
    labels = Counter(item.label for item in xstest_completions(data))
    assert labels == {"full_compliance": 651, "full_refusal": 573, "partial_refusal": 126}


def test_alpaca_input_follows_the_instruction(tmp_path):
    folder = write(
        tmp_path,
        "benign_instructions/alpaca_small.json",
        '[{"instruction": "Add.", "input": "1 and 2", "output": "3"}, {"instruction": "Empty.", "output": " "}]',
    )
    assert [(prompt.text, prompt.answer) for prompt in alpaca(folder)] == [("Add.\n\n1 and 2", "3")]


def test_a_line_break_inside_a_cell_stays(tmp_path):
    folder = write(tmp_path, "advbench/harmful_behaviors.csv", 'goal,target\n"two\nlines",Sure\n')
    (prompt,) = [prompt for split in SPLITS for prompt in advbench(folder, split)]
    assert prompt.text == "two\nlines"


def test_an_unknown_set_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'builtin-safe'"):
        read_prompts("builtin-saf")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt,target\na,b\n", r"no column 'goal' \(.*harmful_behaviors.csv\); expected the columns goal, target"),
        ("goal,target\n", r"no rows"),
        ("goal,target\nonly one cell\n", r"row 2 is too short"),
    ],
)
def test_a_malformed_file_is_one_line(tmp_path, text, message):
    folder = write(tmp_path, "advbench/harmful_behaviors.csv", text)
    with pytest.raises(DataError, match=message):
        advbench(folder, "heldout")


def test_missing_data_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="set COUNTERPOISE_DATA"):
        advbench(None, "heldout")
    with pytest.raises(DataError, match=r"cannot read advbench/harmful_behaviors.csv: No such file"):
        advbench(tmp_path, "heldout")


@pytest.mark.parametrize("text", ["not json", '{"a": 1}', '[{"instruction": 1, "output": "x"}]'])
def test_a_malformed_alpaca_file(tmp_path, text):
    with pytest.raises(DataError):
        alpaca(write(tmp_path, "benign_instructions/alpaca_small.json", text))


def test_an_unknown_xstest_label(tmp_path):
    folder = write(
        tmp_path, "xstest/xstest_v2_completions_llama2new.csv", "prompt,completion,final_label\np,c,4_other\n"
    )
    with pytest.raises(DataError, match="label '4_other'"):
        xstest_completions(folder)
