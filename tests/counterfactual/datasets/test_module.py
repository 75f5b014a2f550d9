import shutil
from pathlib import Path

import pytest

from counterpoise.cli import main
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import get, load
from counterpoise.errors import DataError

FERRY = Path(__file__).parents[3] / "examples" / "ferry_dataset.py"


def test_the_worked_example_is_a_whole_dataset() -> None:
    loaded = load(str(FERRY))
    assert (len(loaded.cases), loaded.rejects) == (24, ())
    assert {case.facets["effect"] for case in loaded.cases} == {"changed", "same"}
    (found,) = check_gold({"ferry": loaded})
    assert set(found["oracle"].values()) == {1.0}
    assert len(found["oracle"]) == 5
    assert all(scores["answer"] < 1 for scores in found["baselines"].values())


def test_the_commands_take_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copy(FERRY, tmp_path / "mine.py")
    assert main(["check-gold", str(copy), "--json"]) == 0
    assert '"oracle"' in capsys.readouterr().out
    assert main(["check-gold", str(tmp_path / "other.py")]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1", "defines no dataset"),
        ("DATASET = 3", "defines no dataset"),
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("import no_such_package_here", "ModuleNotFoundError"),
    ],
)
def test_a_file_that_is_no_dataset_is_one_line(tmp_path: Path, source: str, reason: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(DataError, match=reason) as caught:
        get(str(tmp_path / "bad.py"))
    assert "bad.py" in str(caught.value)
    assert "\n" not in str(caught.value)
