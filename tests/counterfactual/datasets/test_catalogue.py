"""The pages about the datasets are what the code gives, and there is one for each."""

from pathlib import Path

import pytest

from counterpoise.counterfactual.datasets import DATASETS, catalogue
from counterpoise.counterfactual.datasets.catalogue import PAGE, TASKS, main, task_page
from counterpoise.errors import UsageError
from counterpoise.lm.embedded import minilm_folder

DOCS = Path(__file__).parents[3] / "docs"
AGAIN = "write it again: python -m counterpoise.counterfactual.datasets.catalogue docs"


def test_the_page_about_the_datasets_is_up_to_date() -> None:
    try:
        minilm_folder()
    except UsageError as error:
        pytest.skip(f"the agreement of annotations needs the default matcher: {error}")
    assert (DOCS / PAGE).read_text(encoding="utf-8") == catalogue.catalogue(), AGAIN


@pytest.mark.parametrize("name", DATASETS)
def test_the_page_of_a_task_is_up_to_date(name: str) -> None:
    page = DOCS / TASKS / f"{name}.md"
    assert page.is_file(), AGAIN
    assert page.read_text(encoding="utf-8") == task_page(DATASETS[name]), AGAIN


def test_no_page_is_of_a_dataset_that_is_not_registered() -> None:
    assert {page.stem for page in (DOCS / TASKS).glob("*")} <= DATASETS.keys()


@pytest.mark.parametrize("name", DATASETS)
def test_a_page_says_how_its_task_is_run_and_where_its_data_is_from(name: str) -> None:
    page = task_page(DATASETS[name])
    assert f"inspect eval counterpoise/{name.replace('-', '_')} " in page
    assert f"../datasets.md#{name}" in page
    assert DATASETS[name].source in page


@pytest.mark.parametrize("arguments", [[], ["nowhere"], [".", "."], ["file"]])
def test_a_bad_folder_is_one_line_and_exit_code_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err == "error: name the folder to write to; expected one folder that exists\n"
    assert said.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_main_writes_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What it says is tested above, and takes a while to compute.
    monkeypatch.setattr(catalogue, "catalogue", lambda: "# Datasets\n")
    for _ in range(2):
        assert main([str(tmp_path)]) == 0
    assert (tmp_path / PAGE).read_text() == "# Datasets\n"
    assert {page.name for page in (tmp_path / TASKS).iterdir()} == {f"{name}.md" for name in DATASETS}
