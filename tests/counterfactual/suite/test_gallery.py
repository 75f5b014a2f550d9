"""The gallery in the documentation is what the code writes."""

import io
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from counterpoise.counterfactual.suite.config import Query, Suite
from counterpoise.counterfactual.suite.draw.shapes import SHAPES
from counterpoise.counterfactual.suite.gallery import PAGE, PICTURES, gallery, main
from counterpoise.errors import OutputError

DOCS = Path(__file__).parents[3] / "docs"
FIX = "write it again: python -m counterpoise.counterfactual.suite.gallery docs"


def pixels(data: bytes):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def test_the_page_and_its_pictures_are_up_to_date():
    page, pictures = gallery()
    assert (DOCS / PAGE).read_text(encoding="utf-8") == page, FIX
    stored = {path.name: path.read_bytes() for path in (DOCS / PICTURES).iterdir()}
    assert stored.keys() == pictures.keys(), FIX
    for name, data in pictures.items():
        assert np.array_equal(pixels(stored[name]), pixels(data)), FIX
    assert sum(map(len, stored.values())) < 300_000


def test_every_suite_shape_and_query_is_shown():
    page, pictures = gallery()
    headings = re.findall(r"^### ([\w-]+), ([\w-]+), difficulty (\d)$", page, re.MULTILINE)
    assert {shape for shape, _, _ in headings} == set(SHAPES)
    assert {query for _, query, _ in headings} == set(get_args(Query))
    for suite in get_args(Suite):
        assert f"`{suite}`" in page
    assert len(pictures) == page.count("![") >= 5
    assert all(f"({PICTURES}/{name})" in page for name in pictures)


def test_it_is_written_whole_and_stale_pictures_go(tmp_path):
    (tmp_path / PICTURES).mkdir()
    (tmp_path / PICTURES / "scm-image-0-00000.png").touch()
    main([str(tmp_path)])
    page, pictures = gallery()
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == page
    assert {path.name for path in (tmp_path / PICTURES).iterdir()} == pictures.keys()


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["a", "b"]])
def test_a_folder_is_needed(arguments):
    with pytest.raises(OutputError, match="no folder for the gallery"):
        main(arguments)
