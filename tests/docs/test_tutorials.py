"""The tutorials run as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from docpages import DOCS, run_page
from hubserver.server import HubServer

#: No network, no other thread than the tutorial's own.
ALONE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@pytest.mark.slow
@pytest.mark.needs("html")
def test_from_pages_to_a_data_set(hub: HubServer, tmp_path: Path) -> None:
    """The page publishes to `org/my-faq`; here that is a Hub on this machine."""
    folder = tmp_path / "tutorial"
    folder.mkdir()
    home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    here = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub.writer.value, "no_proxy": "*"}
    run_page(
        DOCS / "tutorials" / "dataset.md", folder, {**ALONE, "HF_HUB_OFFLINE": "0", **home, **here}
    )
    assert (folder / "my-faq" / "manifest.json").is_file()


@pytest.mark.slow
@pytest.mark.needs("webfaq-eval")
def test_train_and_score(tmp_path: Path) -> None:
    run_page(
        DOCS / "tutorials" / "retriever.md", tmp_path, {**ALONE, "HF_HOME": str(tmp_path / "home")}
    )
    assert (tmp_path / "report" / "report.html").is_file()
    assert (tmp_path / "in-health" / "training.json").is_file()
