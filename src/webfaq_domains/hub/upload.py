"""Send contents in batches, and make the operations of a commit from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tqdm import tqdm

from webfaq_domains.errors import PublishError
from webfaq_domains.hub.release import ReleaseFile, changed
from webfaq_domains.hub.remote import Remote

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

    from webfaq_domains.hub.remote import Operation

#: The Hub keeps every file from 10 MiB on in LFS. Smaller ones are read whole, so that the bytes that
#: are sent are those that were checked; of larger ones the client's own hash is compared.
_WHOLE = 10 << 20
BATCH_FILES = 64
BATCH_BYTES = 1 << 30


def operations(
    remote: Remote, files: Sequence[ReleaseFile], deleted: Sequence[str], pull: bool = False
) -> list[Operation]:
    """Send what the Hub has not, and return the operations of one commit, deletions first.

    Sent contents stay on the Hub also if no commit follows, so a second run sends none twice.

    :raises PublishError: if a file is not the one that was hashed, or holds the token.
    """
    from huggingface_hub import CommitOperationDelete

    made: list[Operation] = [CommitOperationDelete(path, is_folder=False) for path in deleted]
    size = sum(file.size for file in files)
    with tqdm(desc="upload", total=size, unit="B", unit_scale=True, disable=remote.quiet) as bar:
        for batch in batches(files):
            additions = [_addition(remote, file) for file in batch]
            remote.upload(additions, pull)
            for file, addition in zip(batch, additions, strict=True):
                if addition.upload_info.sha256.hex() != file.sha256 or not file.unchanged():
                    raise changed(file.path)
            made += additions
            bar.update(sum(file.size for file in batch))
    return made


def _addition(remote: Remote, file: ReleaseFile) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd

    if file.size >= _WHOLE and not isinstance(file.source, bytes):
        return CommitOperationAdd(file.path, file.source)
    content = file.content()
    if remote.holds(content):
        raise PublishError(f"{file.path} holds the Hub token: take it out, and make a new token")
    return CommitOperationAdd(file.path, content)


def batches(files: Sequence[ReleaseFile]) -> Iterator[list[ReleaseFile]]:
    """Yield files in batches of bounded number and size.

    Of files with the same content, the second comes in a later batch: then the Hub has it already.
    """
    firsts: dict[str, ReleaseFile] = {}
    repeats = []
    for file in files:
        if firsts.setdefault(file.sha256, file) is not file:
            repeats.append(file)
    for group in (list(firsts.values()), repeats):
        batch: list[ReleaseFile] = []
        for file in group:
            full = len(batch) == BATCH_FILES or sum(f.size for f in batch) + file.size > BATCH_BYTES
            if batch and full:
                yield batch
                batch = []
            batch.append(file)
        if batch:
            yield batch
