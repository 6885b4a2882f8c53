"""A folder that any account can pass through, gone after the test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="eop-embedded-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)
