"""The examples of the page on inputs are what it says they are."""

import re
from pathlib import Path

import pytest

from counterpoise.curation.inputs import FIELDS, FORMATS, SHAPES, open_texts

PAGE = (Path(__file__).parents[3] / "docs" / "inputs.md").read_text(encoding="utf-8")
EXAMPLES = [
    (shape, line)
    for shape, block in re.findall(r"^\*\*(\w+)\*\*:.*?^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize(("shape", "line"), EXAMPLES)
def test_examples_have_the_shape_they_stand_under(tmp_path: Path, shape: str, line: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(line)
    texts = open_texts(path)
    assert (texts.report.shape, texts.report.usable, texts.report.notes) == (shape, 1, ())


def test_the_page_names_every_choice() -> None:
    assert {shape for shape, _ in EXAMPLES} == set(SHAPES)
    assert f"--shape {'|'.join(SHAPES)}" in PAGE
    assert f"--format {'|'.join(FORMATS)}" in PAGE
    assert all(f"`{part}`" in PAGE for part in FIELDS)
