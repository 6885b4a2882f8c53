"""Fixtures that every part of the suite shares."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No timed assertions: a busy machine is no finding. A failing example prints how to repeat it.
settings.register_profile(
    "suite", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that lies beside the project, where there is one."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not on this machine")
    return folder
