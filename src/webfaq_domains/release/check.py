"""Check any folder: whether its files, card and description say the same, and whether it loads."""

from __future__ import annotations

from pathlib import Path

from webfaq_domains.dataset.check import Checked
from webfaq_domains.release.kinds import open_artifact


def check_folder(folder: Path, load: bool = True, quiet: bool = False) -> Checked:
    """Check a folder of any kind: are its files, card and description right, and does it load?

    :param load: load it as its users do; of a data set that is every config.
    :raises WebFAQError: if nothing says what it is, or what says so cannot be read.
    """
    return open_artifact(folder).check(load, quiet)
