"""FAQ pairs by domain and language: build, label, check, compare and publish.

These eight functions are the public face; the commands of `webfaq-domains` are shells over what they
call. Everything below the package's root is internal and may change.

Importing is light: what a function needs is imported when it is called. The examples share one folder:

>>> import tempfile
>>> from importlib.resources import files
>>> from pathlib import Path
>>> sample = Path(str(files("webfaq_domains.builders") / "sample" / "eng.jsonl"))
>>> folder = Path(tempfile.mkdtemp())
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webfaq_domains.dataset.build import Built
    from webfaq_domains.dataset.check import Checked
    from webfaq_domains.dataset.stats import Stats
    from webfaq_domains.engine.label_files import LabelledFile
    from webfaq_domains.labelers.base import Labeler
    from webfaq_domains.release.diff import Difference
    from webfaq_domains.release.plan import Plan
    from webfaq_domains.release.publish import Published
    from webfaq_domains.release.remove import Removed

__all__ = [
    "build", "check", "diff", "label_files", "load_labeler", "publish", "remove", "stats",
]  # fmt: skip


def build(sources: Sequence[str | Path], out: str | Path, **options: Any) -> Built:
    """Build the data set from FAQ pages, dumps or rows: cleaned, unique, labelled, split by site.

    `options` are those of `dataset.build.BuildOptions`: `languages`, `labeler`, `recipe`, `workers`.

    >>> build([sample], folder / "faq", quiet=True).manifest.rows
    45

    :raises WebFAQError: with what was met, what was expected and what to do.
    """
    from webfaq_domains.builders.webfaq import build as build_webfaq
    from webfaq_domains.dataset.build import BuildOptions

    addresses = tuple(map(str, sources))
    built: Built = build_webfaq(BuildOptions(sources=addresses, out=Path(out), **options))
    return built


def load_labeler(address: str | Path = "builtin", cascade: bool = False) -> Labeler:
    """Load a labeler: `builtin`, or the folder of one; then call its `label`.

    >>> labels = load_labeler().label(["Wie bekomme ich einen Kredit von der Bank?"])
    >>> labels.domain, labels.labeler
    (['finance'], ['student'])

    :raises LabelerError: if the folder is no labeler, runs code, or holds another model.
    """
    from webfaq_domains.labelers.load import load_labeler as load

    return load(address, cascade)


def label_files(
    files: Sequence[str | Path], out: str | Path, labeler: str = "builtin", **options: Any
) -> LabelledFile:
    """Label the rows of Parquet or JSON Lines files into one file: the same rows, four more columns.

    >>> label_files([sample], folder / "labelled.parquet", quiet=True).rows
    48

    :raises WebFAQError: if a file cannot be read or lacks the texts.
    """
    from webfaq_domains.engine.label_files import label_files as label

    return label([Path(file) for file in files], Path(out), labeler, **options)


def check(folder: str | Path, load: bool = True, quiet: bool = False) -> Checked:
    """Check a staged folder of any kind: files, hashes, card, and that `datasets` loads it.

    >>> check(folder / "faq", load=False, quiet=True).fine
    True

    :raises WebFAQError: if it is no staged folder at all.
    """
    from webfaq_domains.release.check import check_folder

    return check_folder(Path(folder), load, quiet)


def stats(folder: str | Path) -> Stats:
    """Count a staged data set: rows by domain and language, drops by reason, lengths, origins.

    >>> stats(folder / "faq").splits
    {'train': 39, 'validation': 4, 'test': 2}
    """
    from webfaq_domains.dataset.stats import read_stats

    return read_stats(Path(folder))


def remove(
    folder: str | Path, out: str | Path, origins: Sequence[str] = (), urls: Sequence[str] = (),
    ids: Sequence[str] = (), removals: str | Path | None = None, quiet: bool = False,
) -> Removed:  # fmt: skip
    """Answer removal requests: make a folder without the rows of these sites, pages or ids.

    >>> remove(folder / "faq", folder / "less", ["cloudfen-backup.example"], quiet=True).rows
    43
    """
    from webfaq_domains.release.remove import remove_rows
    from webfaq_domains.steps.remove import Requests

    asked = Requests.of(tuple(origins), tuple(urls), tuple(ids))
    listed = Path(removals) if removals is not None else None
    return remove_rows(Path(folder), Path(out), asked, listed, quiet=quiet)


def diff(old: str | Path, new: str | Path, quiet: bool = True) -> Difference:
    """Compare two staged folders or `org/name@revision`, and suggest the next version.

    >>> diff(folder / "faq", folder / "less").level
    'minor'

    :raises StagedError: if one cannot be read, or they are of two kinds.
    """
    from webfaq_domains.release.diff import diff as compare

    return compare(str(old), str(new), quiet)


def publish(
    folder: str | Path, repo: str, version: str, go: bool = False, **options: Any
) -> Plan | Published:
    """Plan the release of a folder on the Hub and, with `go`, publish it: one commit, one tag.

    `options` are those of `release.publish.PublishOptions`: `create`, `create_pr`, `message`, `kind`.

    >>> publish(folder / "faq", "my-org/my-faq", "first")
    Traceback (most recent call last):
    webfaq_domains.ground.errors.RecipeError: ...

    :raises PublishError: if the folder must not be published, or the Hub holds something else.
    :raises HubError: if the Hub refuses or cannot be reached; the same call again goes on.
    """
    from webfaq_domains.release.publish import PublishOptions, publish_folder

    return publish_folder(Path(folder), PublishOptions(repo, version, **options), go)
