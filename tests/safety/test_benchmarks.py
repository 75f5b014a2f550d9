from collections import Counter
from itertools import combinations

import pytest

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.safety.benchmarks import (
    BENIGN,
    PROMPT_SETS,
    advbench,
    alpaca,
    alpaca_gpt4,
    benign,
    builtin_benign,
    builtin_disallowed,
    dolly,
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
    ("name", "count"),
    [
        ("xstest-safe", 250),
        ("jailbreakbench-benign", 100),
        ("alpaca-benign", 250),
        ("advbench", None),
        ("jailbreakbench", 100),
        ("strongreject", 313),
        ("harmbench", 200),
        ("malicious-instruct", 100),
        ("builtin-safe", 40),
    ],
)
def test_real_sets(data, name, count):
    prompts = read_prompts(name, data)
    assert count is None or len(prompts) == count
    assert all(prompt.text.strip() and prompt.cluster for prompt in prompts)
    assert len({prompt.id for prompt in prompts}) == len(prompts)
    assert {(prompt.set, prompt.expects) for prompt in prompts} == {(name, PROMPT_SETS[name].expects)}


@pytest.mark.parametrize("name", BENIGN)
def test_real_benign_selections(data, name):
    prompts = benign(data, name)
    assert 90 <= len(prompts) <= 100
    assert all(prompt.answer and prompt.set == name for prompt in prompts)


def test_real_training_and_calibration_data(data):
    assert len(alpaca(data)) == 2000
    assert all(prompt.answer for prompt in alpaca(data))
    labels = Counter(item.label for item in xstest_completions(data))
    assert labels == {"full_compliance": 651, "full_refusal": 573, "partial_refusal": 126}


def test_other_real_training_data(data):
    assert len(alpaca_gpt4(data)) == 999
    assert len(dolly(data)) == 387
    assert all(prompt.answer for prompt in (*alpaca_gpt4(data), *dolly(data)))


def test_jailbreakbench_targets_are_openers(data):
    answers = [prompt.answer for prompt in read_prompts("jailbreakbench", data)]
    assert all(answer.startswith(("Sure, here", "Here")) for answer in answers)


def test_a_context_follows_the_instruction(tmp_path):
    line = '{"instruction": "Sum up.", "context": "A long text.", "response": " Short. "}\n'
    folder = write(tmp_path, BENIGN["dolly-reps-top100"], line)
    assert [(prompt.text, prompt.answer) for prompt in benign(folder, "dolly-reps-top100")] == [
        ("Sum up.\n\nA long text.", "Short.")
    ]


def test_an_unknown_benign_selection_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'dolly-reps-top100'"):
        benign(tmp_path, "dolly-reps-top10")


@pytest.mark.parametrize(
    ("name", "file", "text", "message"),
    [
        (
            "strongreject",
            "strongreject/strongreject_dataset.csv",
            "category,source\na,b\n",
            "no column 'forbidden_prompt'",
        ),
        ("strongreject", "strongreject/strongreject_dataset.csv", 'forbidden_prompt\n" "\n', "is empty"),
        ("jailbreakbench", "jailbreakbench/harmful_behaviors.csv", "goal,target\na,b\n", "no column 'Goal'"),
        ("harmbench", "harmbench/harmbench_behaviors_standard.csv", "Behavior\na\n", "no column 'FunctionalCategory'"),
        ("malicious-instruct", "malicious_instruct/malicious_instruct.txt", "\n \n", "no lines"),
        ("alpaca-benign", "benign_instructions/alpaca_small.json", "[3]", "not a list of objects"),
    ],
)
def test_malformed_sets_are_one_line(tmp_path, name, file, text, message):
    with pytest.raises(DataError, match=message):
        read_prompts(name, write(tmp_path, file, text))


def test_standard_behaviours_only(tmp_path):
    text = "Behavior,FunctionalCategory,BehaviorID\nPaint a wall,standard,a\nPaint it too,contextual,b\n"
    folder = write(tmp_path, "harmbench/harmbench_behaviors_standard.csv", text)
    assert [prompt.id for prompt in read_prompts("harmbench", folder)] == ["a"]


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
