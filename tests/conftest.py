import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of downloaded public data; tests that ask for it skip without it."""
    folder = os.environ.get("COUNTERPOISE_DATA")
    if not folder:
        pytest.skip("needs public data: set COUNTERPOISE_DATA to its folder")
    if not Path(folder).is_dir():
        pytest.fail(f"COUNTERPOISE_DATA is not a folder: {folder}")
    return Path(folder)
