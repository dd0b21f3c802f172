"""What the tests of the sources share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Rejected, Source

Rows = tuple[list[dict[str, Any]], list[Rejected]]


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data that lies beside the repository on some machines."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (shared/data beside the repository) are not on this machine")
    return folder


@pytest.fixture
def read_all() -> Callable[[Source], Rows]:
    """Read every file of a source into rows and rejected rows."""

    def read(source: Source) -> Rows:
        rows: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        for file in source.files:
            for batch in source.read(file):
                assert batch.pairs.schema == RAW
                rows += batch.pairs.to_pylist()
                rejected += batch.rejected
        return rows, rejected

    return read
