"""List the files of a folder that is about to be published, and refuse what must not go up."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from webfaq_domains.errors import PublishError

#: Files that run code when a common library loads them.
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")

#: The one hidden file that belongs in a repository.
_ATTRIBUTES = ".gitattributes"
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def list_files(folder: Path, repo_id: str = "") -> dict[str, Path]:
    """Return every file below a folder by its path in the repository, sorted by that path.

    :raises PublishError: for a symbolic link, a device, a hidden file, a pickle, a loading script
        `<repo>.py`, or a name with characters that cannot be seen.
    """
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder, followlinks=False):
        for name in (*folders, *names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            _check_name(relative, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                _refuse(relative, "is a symbolic link", "replace it by what it points to")
            elif stat.S_ISREG(mode):
                found[relative] = path
            elif not stat.S_ISDIR(mode):
                _refuse(relative, "is neither a file nor a folder", "remove it")
    script = f"{repo_id.rpartition('/')[2]}.py"
    if repo_id and script in found:
        what = "would be taken for a loading script, which `datasets` refuses to load"
        _refuse(script, what, "rename or remove it")
    return dict(sorted(found.items()))


def _check_name(relative: str, name: str) -> None:
    if any(unicodedata.category(char) in _UNSEEN for char in name) or "\\" in name:
        _refuse(ascii(relative), "has a character that cannot be seen, or a backslash", "rename it")
    if name != name.strip():
        _refuse(ascii(relative), "starts or ends with a space", "rename it")
    if name.startswith(".") and name != _ATTRIBUTES:
        _refuse(relative, "is hidden", "remove it; it is no part of a release")
    if name.lower().endswith(PICKLES):
        _refuse(relative, "is a pickle, which runs code when it is loaded", "remove it")


def _refuse(place: str, what: str, mend: str) -> None:
    raise PublishError(f"{place} {what}: {mend}")
