"""Model folders of strangers: what would run code when it is loaded is refused by name and by content.

A sentence-transformers folder can name Python modules of its own (`modules.json`), and pickled weights
run code when torch reads them. Nothing here needs either: known modules and safetensors are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec

from webfaq_domains.ground.errors import StagedError, WebFAQError
from webfaq_domains.ground.files import local_notes
from webfaq_domains.ground.records import parse_json, read_record

#: Endings of files that are code, or that common libraries unpickle.
CODE = (
    ".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".sh", ".bin", ".pt", ".pth", ".ckpt", ".pkl",
    ".pickle", ".joblib", ".dill", ".npy", ".npz", ".h5", ".keras", ".msgpack",
)  # fmt: skip

#: A fastText model ends in `.bin` too. It begins with this number, which no pickle or archive does.
_FASTTEXT = (793712314).to_bytes(4, "little")

#: The modules of sentence-transformers that are loaded, and whether they have weights of their own.
MODULES = {
    "Transformer": True, "Dense": True, "LayerNorm": True, "Pooling": False, "Normalize": False,
    "Dropout": False,
}  # fmt: skip


class _Module(msgspec.Struct, frozen=True):
    """An entry of `modules.json`; what else stands in it is for newer versions."""

    type: str
    path: str = ""
    name: str | int = ""


_Modules = Annotated[list[_Module], msgspec.Meta(min_length=1, max_length=20)]


def code_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file below a folder that may run code when it is loaded: its path, and what it is."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.name.lower().endswith(CODE) or not path.is_file() or local_notes(name):
            continue
        if path.suffix == ".bin" and _begins(path) == _FASTTEXT:
            continue
        what = "is code" if path.suffix in (".py", ".pyc", ".so", ".sh") else "may hold a pickle"
        yield name, f"{what}, which runs when it is loaded"


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def refuse_code(folder: Path, error: type[WebFAQError]) -> None:
    """Refuse a model folder in which anything could run code; known modules with safetensors may stay.

    :raises WebFAQError: of the kind `error`, naming the file and what to do.
    """
    for name, what in code_files(folder):
        raise error(f"{folder / name} {what}; remove it, or get the model as safetensors")
    path = folder / "modules.json"
    if not path.is_file():
        return
    try:
        modules = read_record(parse_json(path.read_bytes(), str(path)), _Modules, str(path))
    except (OSError, StagedError) as problem:
        raise error(str(problem)) from problem
    for module in modules:
        _check_module(folder, module, error)


def _check_module(folder: Path, module: _Module, error: type[WebFAQError]) -> None:
    """Refuse a module that is not a known one, lies elsewhere, or has no safetensors."""
    path = folder / "modules.json"
    package, _, kind = module.type.rpartition(".")
    if kind not in MODULES or not package.startswith("sentence_transformers."):
        raise error(
            f"{path}: the module {ascii(module.type)[:80]} is not known; known: {', '.join(MODULES)} "
            "of sentence_transformers"
        )
    place = PurePosixPath(module.path)
    if place.is_absolute() or ".." in place.parts or "\\" in module.path:
        raise error(f"{path}: the module's path {ascii(module.path)[:80]} leads out of the folder")
    if MODULES[kind] and not list((folder / place).glob("*.safetensors")):
        raise error(
            f"{folder / place} has no safetensors weights for {kind}; pickled weights are not loaded"
        )
