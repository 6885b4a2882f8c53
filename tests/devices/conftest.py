import pytest
import time_machine

from tests.factories.devices import DAY_START


@pytest.fixture
def freeze():
    """Stop the clock an hour into the day that the factories speak of."""
    with time_machine.travel(DAY_START.replace(hour=1), tick=False):
        yield
