"""A dataset on the Hugging Face Hub at a pinned revision, streamed file by file."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.hub import explained
from webfaq_domains.sources.base import Batch, SourceFile
from webfaq_domains.sources.files import say_unread
from webfaq_domains.sources.paths import PathClaim, path_claims, told
from webfaq_domains.sources.records import PACKED
from webfaq_domains.sources.rows import SUFFIXES, check_columns, read_rows, suffix

_log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)@(?P<revision>[\w./-]+)")
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class HubSource:
    """The data files of a dataset repository: WebFAQ v1, v2, and others with their columns.

    `sha` is the commit that `revision` named when the source was opened; all reading uses it. One
    file at a time is downloaded to a temporary folder and removed once it was read.
    """

    name: str
    repo: str
    revision: str
    sha: str
    files: tuple[SourceFile, ...]
    claims: dict[str, PathClaim] = field(default_factory=dict)

    @classmethod
    def open(cls, address: str, wanted: frozenset[str] = frozenset()) -> HubSource:
        """Resolve `<org>/<name>@<revision>` and list its files; `wanted` limits the languages.

        A file whose path names a language that is not wanted is not downloaded.

        :raises SourceError: if the repository or revision is unknown, gated, or holds no data.
        """
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise SourceError(
                f"hub:{address}: expected hub:<org>/<name>@<revision>; a revision (sha, tag or "
                "branch) is needed so that the build can be repeated"
            )
        repo, revision = match["repo"], match["revision"]
        sha, files = _list(repo, revision)
        claims = path_claims(file.name for file in files)
        kept = tuple(
            file
            for file in files
            if not (claim := claims.get(file.name))
            or not (wanted and claim.sure)
            or claim.language in wanted
        )
        for line in told(claims):
            _log.warning("%s@%s: %s", repo, revision, line)
        if len(kept) < len(files):
            _log.warning("%d of them are in languages that are not wanted", len(files) - len(kept))
        if not kept:
            raise SourceError(
                f"{repo}@{revision} holds no file that ends in {', '.join(SUFFIXES)}"
                + (f" in the languages {', '.join(sorted(wanted))}" if wanted else "")
            )
        source = cls(repo, repo, revision, sha, kept, claims)
        for file in kept:
            source._check(file)
        return source

    def _check(self, file: SourceFile) -> None:
        """Look at a file's columns through range requests, without downloading it."""
        from huggingface_hub import HfFileSystem

        path = f"datasets/{self.repo}@{self.sha}/{file.name}"
        with (
            explained(self.repo, self.revision),
            # Without fsspec's read-ahead, which would fetch 5 MiB more than is looked at.
            HfFileSystem().open(path, "rb", cache_type="none") as stream,
        ):
            if suffix(file.name) == ".parquet":
                check_columns(file.name, stream)
            else:
                _check_head(file.name, stream.read(_HEAD_BYTES))

    def read(self, file: SourceFile) -> Iterator[Batch]:
        from huggingface_hub import hf_hub_download

        with tempfile.TemporaryDirectory() as folder, explained(self.repo, self.revision):
            path = hf_hub_download(
                self.repo, file.name, repo_type="dataset", revision=self.sha, local_dir=folder
            )
            _verify(file, Path(path))
            with Path(path).open("rb") as stream:
                yield from read_rows(file.name, stream, self.claims.get(file.name))


def _list(repo: str, revision: str) -> tuple[str, list[SourceFile]]:
    from huggingface_hub import HfApi

    with explained(repo, revision):
        info = HfApi().dataset_info(repo, revision=revision, files_metadata=True)
    files = [
        SourceFile(entry.rfilename, "", entry.size or 0, _pin(entry))
        for entry in sorted(info.siblings or [], key=lambda entry: entry.rfilename)
        if suffix(entry.rfilename) is not None
    ]
    names = [entry.rfilename for entry in info.siblings or []]
    say_unread((name for name in names if suffix(name) is None), f"{repo}@{revision}")
    if info.sha is None:
        raise SourceError(
            f"the Hub does not say which commit {repo}@{revision} is; give a 40-hex sha"
        )
    return info.sha, files


def _check_head(name: str, head: bytes) -> None:
    """Check the columns of a text file by its first MiB, if a whole line lies in it."""
    cut = len(head) == _HEAD_BYTES
    if cut and not name.lower().endswith(PACKED):
        head = head[: head.rfind(b"\n") + 1]
        if not head:
            return
    try:
        check_columns(name, io.BytesIO(head))
    except SourceError as error:
        if not (
            cut and isinstance(error.__cause__, EOFError | OSError)
        ):  # else `read` meets the line whole, and its columns
            raise


def _verify(file: SourceFile, path: Path) -> None:
    """Compare a downloaded file with its pin.

    :raises SourceError: if the content is not what the Hub lists for this commit.
    """
    with path.open("rb") as stream:
        if file.sha256.startswith("git-sha1:"):
            git = hashlib.sha1(f"blob {file.bytes}\0".encode(), usedforsecurity=False)
            git.update(stream.read())
            met = f"git-sha1:{git.hexdigest()}"
        else:
            met = hashlib.file_digest(stream, "sha256").hexdigest()
    if met != file.sha256:
        raise SourceError(
            f"{file.name}: the download is damaged: expected {file.sha256}, met {met}; try again"
        )


def _pin(entry: Any) -> str:
    return entry.lfs.sha256 if entry.lfs else f"git-sha1:{entry.blob_id}"
