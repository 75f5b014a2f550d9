"""Real files of nine shapes; the counts were found by a separate reading of each file."""

from pathlib import Path

import pytest

from counterpoise.curation.inputs import open_texts

COSE, SEEDS = "commonsense/cose_dev_v1.0_processed.jsonl", "benign_instructions/self_instruct_seed_tasks.jsonl"


@pytest.mark.parametrize(
    ("name", "fields", "shape", "used", "counts"),
    [
        (
            "commonsense/csqa_v1.0_dev_rand_split.jsonl",
            {},
            "choices",
            {"question": "question.stem", "choices": "question.choices", "answer": "answerKey"},
            (950, 0, 0),
        ),
        (
            "commonsense/bigbench_strategyqa_task.json",
            {},
            "pairs",
            {"question": "input", "answer": "target"},
            (2290, 1, 0),
        ),
        (
            "commonsense/openbookqa_train_instruct.json",
            {},
            "pairs",
            {"question": "instruction", "answer": "output"},
            (4957, 5, 0),
        ),
        (
            "benign_instructions/alpaca_small.json",
            {},
            "pairs",
            {"question": "instruction", "answer": "output", "context": "input"},
            (2000, 0, 0),
        ),
        (
            "benign_instructions/dolly_safety_keyword_subset.jsonl",
            {},
            "pairs",
            {"question": "instruction", "answer": "response", "context": "context"},
            (387, 1, 15),
        ),
        ("utility/gsm8k_test.jsonl", {}, "pairs", {"question": "question", "answer": "answer"}, (1319, 0, 0)),
        ("identity_shift/aoa_gpt35.jsonl", {}, "messages", {"messages": "messages"}, (10, 0, 0)),
        ("identity_shift/aoa_llama2_train.json", {}, "messages", {}, (10, 0, 0)),
        (COSE, {"text": "explanation.open-ended"}, "texts", {"text": "explanation.open-ended"}, (950, 45, 0)),
        (
            SEEDS,
            {"answer": "instances.0.output", "context": "instances.0.input"},
            "pairs",
            {"question": "instruction", "answer": "instances.0.output", "context": "instances.0.input"},
            (175, 0, 1),
        ),
    ],
)
def test_public_files_are_read_as_they_are(
    data: Path, name: str, fields: dict[str, str], shape: str, used: dict[str, str], counts: tuple[int, int, int]
) -> None:
    path = data / name
    if not path.is_file():
        pytest.skip(f"no {name} in the data folder")
    report = open_texts(path, fields=fields).report
    assert (report.shape, report.fields) == (shape, used)
    assert (report.total, report.duplicates, report.overlong) == counts
    assert report.usable == report.total - report.duplicates - report.overlong
