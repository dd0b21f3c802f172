"""Local files opened for reading; the first bytes tell whether one is gzip, not its name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from webfaq_domains.errors import SourceError
from webfaq_domains.sources.base import SourceFile

_GZIP = b"\x1f\x8b"


@contextmanager
def open_bytes(file: SourceFile) -> Iterator[BinaryIO]:
    """Open a source file, unpacked if it is gzip.

    :raises SourceError: if it cannot be opened, or turns out to be broken while it is read.
    """
    try:
        with Path(file.path).open("rb") as raw:
            if raw.peek(2)[:2] != _GZIP:
                yield raw
                return
            with gzip.open(raw) as unpacked:
                yield cast(BinaryIO, unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"{file.name}: the gzip data are cut off or damaged ({error}); fetch the file again"
        ) from error
    except OSError as error:
        raise SourceError(f"{file.name}: cannot be read: {error.strerror or error}") from error
