"""Real ratings and published tables, kept beside the repository and not in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# an oracle's first call imports half of statsmodels: slow is not wrong here
settings.register_profile("oracles", deadline=None)
settings.load_profile("oracles")

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared data is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def published(shared_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared_data / "agreement" / "published_tables.json").read_text())
    return loaded


@pytest.fixture(scope="session")
def reference(shared_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared_data / "reference_agreement.json").read_text())["shared"]
    return loaded
