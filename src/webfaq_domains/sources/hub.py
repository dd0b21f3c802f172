"""A dataset on the Hugging Face Hub at a pinned revision, streamed file by file."""

from __future__ import annotations

import hashlib
import io
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from webfaq_domains.ground.errors import SchemaError, SourceError
from webfaq_domains.ground.hub import Address, Repository, RepositoryFile
from webfaq_domains.sources.base import Batch, SourceFile
from webfaq_domains.sources.files import may_be_about_data, say_unread
from webfaq_domains.sources.paths import PathClaim, path_claims, told
from webfaq_domains.sources.records import PACKED
from webfaq_domains.sources.rows import SUFFIXES, check_columns, read_rows, suffix

_log = logging.getLogger(__name__)

_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class HubSource:
    """The data files of a dataset repository: WebFAQ v1, v2, and others with their columns.

    All reading is from the commit that the revision named when the source was opened. One file at a
    time is downloaded to a temporary folder and removed once it was read.
    """

    repository: Repository
    files: tuple[SourceFile, ...]
    claims: dict[str, PathClaim] = field(default_factory=dict)

    @classmethod
    def open(cls, address: str, wanted: frozenset[str] = frozenset()) -> HubSource:
        """Resolve `<org>/<name>@<revision>` and list its files; `wanted` limits the languages.

        A file whose path names a language that is not wanted is not downloaded.

        :raises SourceError: if the repository or revision is unknown, gated, or holds no data.
        """
        asked = Address.parse(address)
        if asked is None or asked.revision is None or "/" not in asked.name:
            raise SourceError(
                f"hub:{address}: expected hub:<org>/<name>@<revision>; a revision (sha, tag or "
                "branch) is needed so that the build can be repeated"
            )
        repository = asked.resolve(SourceError, ("dataset",))
        listed = sorted(repository.files().items())
        say_unread((path for path, _ in listed if suffix(path) is None), repository.name)
        files = [
            SourceFile(path, "", file.size, _pin(file))
            for path, file in listed
            if suffix(path) is not None
        ]
        claims = path_claims(file.name for file in files)
        kept = tuple(
            file
            for file in files
            if not (claim := claims.get(file.name))
            or not (wanted and claim.sure)
            or claim.language in wanted
        )
        for line in told(claims):
            _log.warning("%s: %s", repository.name, line)
        if len(kept) < len(files):
            _log.warning("%d of them are in languages that are not wanted", len(files) - len(kept))
        if not kept:
            raise SourceError(
                f"{asked.name}@{asked.revision} holds no file that ends in {', '.join(SUFFIXES)}"
                + (f" in the languages {', '.join(sorted(wanted))}" if wanted else "")
            )
        source = cls(repository, kept, claims)
        return replace(source, files=tuple(file for file in kept if source._holds_rows(file)))

    @property
    def name(self) -> str:
        return self.repository.name

    @property
    def sha(self) -> str:
        return self.repository.sha

    def _holds_rows(self, file: SourceFile) -> bool:
        """Check a file's columns, and tell whether it is read; see `files.may_be_about_data`."""
        try:
            self._check(file)
        except (SourceError, SchemaError) as error:
            if not may_be_about_data(file.name):
                raise
            _log.warning("not read: %s", error)
            return False
        return True

    def _check(self, file: SourceFile) -> None:
        """Look at a file's columns through range requests, without downloading it."""
        with self.repository.open(file.name) as stream:
            if suffix(file.name) == ".parquet":
                check_columns(file.name, stream)
            else:
                _check_head(file.name, stream.read(_HEAD_BYTES))

    def read(self, file: SourceFile) -> Iterator[Batch]:
        with tempfile.TemporaryDirectory() as folder:
            path = self.repository.download(file.name, Path(folder))
            _verify(file, path)
            with path.open("rb") as stream:
                yield from read_rows(file.name, stream, self.claims.get(file.name))


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


def _pin(file: RepositoryFile) -> str:
    return file.sha256 or f"git-sha1:{file.git_sha1}"
