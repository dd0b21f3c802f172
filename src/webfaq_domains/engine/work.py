"""The life of a build's folders: where the result may go, the work folder, the result put in place.

The result appears whole: it is made in `<out>.work/<identity>` and renamed at the end. A build that
was killed goes on from there. An `out` that is an empty mount point (a volume of a container) cannot
be renamed onto: its work folder lies in it, as `.work`, and the files move up at the end, the manifest
last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from webfaq_domains.ground.errors import BuildError, StagedError
from webfaq_domains.ground.files import sweep, value_sha256
from webfaq_domains.ground.manifest import MANIFEST, Manifest, code_version

#: The folder of work folders in an `out` that is a mount point.
_INSIDE = ".work"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a work folder, so that two runs do not share it.

    :raises BuildError: if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BuildError(
                f"another build is using {folder}; wait for it, or choose another --out"
            ) from error
        yield


@dataclass(frozen=True)
class Destination:
    """Where the result of a build goes: the folder `out`, and what may stand beside it.

    `beside` maps each file or folder that the build may write there to a test which tells whether an
    earlier build of ours wrote what is there now.
    """

    out: Path
    beside: Mapping[Path, Callable[[Path], bool]] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse a place that the result cannot go to, before any work.

        :raises StagedError: naming the place, what is there and what to do.
        """
        out = self.out
        if out.name in ("", ".."):
            raise StagedError(f"--out {out}: name a folder to be made, such as ./my-data")
        if out.is_symlink():
            raise StagedError(f"--out {out} is a symbolic link; name the folder that it points to")
        for path, is_ours in self.beside.items():
            if os.path.lexists(path) and (path.is_symlink() or not is_ours(path)):
                raise StagedError(
                    f"{path} stands where the build may write, and no build of ours made it; move it "
                    "away, or choose another --out"
                )

    def is_free(self) -> bool:
        """Tell whether nothing is at `out`, but for an empty folder or our unfinished work in a mount."""
        if not os.path.lexists(self.out):
            return True
        return self.out.is_dir() and (
            not any(self.out.iterdir()) or (self._is_mount() and (self.out / _INSIDE).is_dir())
        )

    def is_done(self, recipe_hash: str) -> bool:
        """Tell whether `out` was made by this very recipe and code; False if it is free.

        :raises StagedError: if `out` holds something else, which is never overwritten, or is no place
            for a result (see `check`).
        """
        self.check()
        if self.is_free():
            return False
        try:
            manifest = Manifest.read(self.out)
        except StagedError as error:
            raise StagedError(
                f"{self.out} exists and is not a staged data set; choose another --out"
            ) from error
        if manifest.recipe_hash != recipe_hash or manifest.code_version != code_version():
            raise StagedError(
                f"{self.out} holds a data set of another recipe, input or code version; choose another "
                "--out or remove it"
            )
        return True

    def work(self, *identity: object) -> Path:
        """Return the work folder of a build, named by all that its unfinished files depend on."""
        name = value_sha256([*identity, code_version()])[:16]
        return self._works() / name

    def _works(self) -> Path:
        if self._is_mount():
            return self.out / _INSIDE
        return self.out.with_name(f"{self.out.name}.work")

    def _is_mount(self) -> bool:
        return os.path.ismount(self.out)

    @contextmanager
    def open(self, work: Path) -> Iterator[Path]:
        """Hold a work folder for the block; remove it when the block ends well.

        :raises BuildError: if another process holds it, the disk is full, or Ctrl-C was pressed.
        """
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            with locked(work):
                yield work
        except KeyboardInterrupt as error:
            raise BuildError("interrupted; run the same command again to go on") from error
        except OSError as error:
            raise BuildError(
                f"{error.strerror or error} ({error.filename or work}); what is finished is kept: "
                "free space or mend it and run the same command again"
            ) from error
        self.forget(work)

    def forget(self, work: Path) -> None:
        """Remove a work folder, and the folder of work folders if it was the last one."""
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):
            work.parent.rmdir()

    def clear_beside(self) -> None:
        """Remove what an earlier build left beside `out`: it says nothing of the new result."""
        for path in self.beside:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def put_in_place(self, staged: Path) -> None:
        """Make a finished folder the result.

        :raises OSError: where another build has been faster.
        """
        sweep(staged)
        if self._is_mount():
            inside = sorted(staged.iterdir(), key=lambda path: (path.name == MANIFEST, path.name))
            for path in inside:
                os.replace(path, self.out / path.name)
            return
        if self.out.exists():
            self.out.rmdir()
        os.replace(staged, self.out)
