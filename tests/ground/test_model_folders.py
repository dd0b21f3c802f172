"""Folders of models that would run code are refused, whatever loads them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.model_folders import refuse_code
from webfaq_domains.labelers.load import builtin_folder, load_labeler

KNOWN = "sentence_transformers.models.Transformer"


def body(folder: Path, *modules: dict[str, object], weights: bool = True) -> Path:
    """Write a folder that looks like a sentence encoder."""
    folder.mkdir(exist_ok=True)
    (folder / "modules.json").write_text(json.dumps(modules))
    if weights:
        (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_a_plain_encoder_is_let_through(tmp_path: Path) -> None:
    pooling = {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
    refuse_code(body(tmp_path, {"idx": 0, "path": "", "type": KNOWN}, pooling), LabelerError)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ({"path": "", "type": "evil.Transformer"}, "is not known"),
        ({"path": "", "type": "modeling_evil.Evil"}, "is not known"),
        ({"path": "../other", "type": KNOWN}, "leads out of the folder"),
        ({"path": "/etc", "type": KNOWN}, "leads out of the folder"),
        ({"path": "1_Dense", "type": "sentence_transformers.models.Dense"}, "no safetensors"),
        ({"path": ""}, "type"),
    ],
)
def test_an_unknown_module_is_refused(tmp_path: Path, module: dict[str, str], told: str) -> None:
    with pytest.raises(LabelerError, match=told):
        refuse_code(body(tmp_path, module), LabelerError)


@pytest.mark.parametrize(
    "name", ["a.py", "pytorch_model.bin", "1_Dense/W.PT", "model_head.pkl", "x.joblib"]
)
def test_code_and_pickles_are_refused_by_name(tmp_path: Path, name: str) -> None:
    folder = body(tmp_path, {"path": "", "type": KNOWN})
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\x80\x04.")
    with pytest.raises(LabelerError, match="which runs when it is loaded"):
        refuse_code(folder, LabelerError)


def test_a_labeler_folder_with_a_module_of_its_own_does_not_load(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(builtin_folder(), tmp_path / "labeler"))
    (folder / "evil.py").write_text("raise SystemExit(9)\n")
    with pytest.raises(LabelerError, match=r"evil\.py is code"):
        load_labeler(folder)
