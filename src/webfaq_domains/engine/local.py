"""The local engine: this process, or a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from webfaq_domains.engine.base import Report, Task
from webfaq_domains.ground.errors import BuildError

_DIED = (
    "a worker process died (out of memory, or killed); what is finished is kept: run the same "
    "command again to go on, with fewer --workers if memory was short"
)


def _start_worker(parent: int) -> None:
    """Give a worker one core, leave Ctrl-C to the driver, and end it when the driver is gone."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _sheltered() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started in the block; the driver meets it at the end.

    They inherit that SIGINT is blocked: a worker that is not ready yet would die of it with a
    traceback. So it would if the driver were interrupted, through another thread, half-way.
    """
    arrived: list[int] = []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handler: Any = None
    if threading.current_thread() is threading.main_thread():
        handler = signal.signal(signal.SIGINT, lambda number, frame: arrived.append(number))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        if arrived:
            signal.raise_signal(signal.SIGINT)


@dataclass
class LocalEngine:
    """Runs tasks in `workers` processes; with one worker, in this process.

    The pool is started at the first use and shared by the stages of a run (`with engine.open()`).
    """

    workers: int = 1
    _pool: ProcessPoolExecutor | None = field(default=None, repr=False)

    @contextmanager
    def open(self) -> Iterator[LocalEngine]:
        """Keep one pool for the block, and end its processes after it."""
        if self.workers > 1:
            # spawn: a forked child would inherit Arrow's threads and locks.
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(os.getpid(),),
            )
        ended_well = False
        try:
            yield self
            ended_well = True
        finally:
            if self._pool is not None:
                self._pool.shutdown(wait=ended_well, cancel_futures=True)
                self._pool = None

    def map(self, function: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
        """Yield the report of each task as it is ready.

        :raises BuildError: if a worker process dies.
        """
        if self._pool is None:
            yield from map(function, tasks)
            return
        try:
            with _sheltered():
                waiting = {self._pool.submit(function, task) for task in tasks}
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise BuildError(_DIED) from error
