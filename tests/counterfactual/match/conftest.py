import pytest

from counterpoise.counterfactual.match.registry import open_matcher


@pytest.fixture(scope="session")
def meaning():
    """The default matcher, with the embedded model."""
    return open_matcher("meaning")
