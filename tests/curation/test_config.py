import pytest
from pydantic import ValidationError

from counterpoise.curation.config import CurateConfig


def test_defaults_are_the_grid_of_the_source() -> None:
    config = CurateConfig()
    assert len(config.grid) == 25
    assert config.grid[0] == (0.2, 0.2)
    assert config.grid[-1] == (1.0, 1.0)
    assert config.objective == "max"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperatures": ()}, "temperatures must not be empty"),
        ({"temperatures": (0.0,)}, r"temperatures must be in \(0, 2\]"),
        ({"top_ps": (0.5, 1.5)}, r"top_ps must be in \(0, 1\]"),
        ({"top_ps": (0.5, 0.5)}, "top_ps must be different"),
        ({"top_ps": (float("nan"),)}, "top_ps must be in"),
        ({"rounds": 0}, "greater than or equal to 1"),
        ({"beam": 0}, "greater than or equal to 1"),
        ({"objective": "most"}, "'max', 'min' or 'random'"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"gates": {"colour": "red"}}, "Extra inputs are not permitted"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CurateConfig.model_validate(settings)
