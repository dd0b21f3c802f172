"""What goes wrong, as exceptions whose text says what was met, what was expected and what to do.

EvalError           a `WebFAQError`, so both packages' commands show it as one line
├── BenchmarkError   a staged or published data set that cannot be read as one
├── ModelError       an encoder that cannot be loaded, or lacks what was asked of it
├── VectorError      a vector cache or vectors that cannot be trusted
├── ResultError      a result file that is missing, broken or does not fit the others
├── TaskDataError    a training or task file that is not in its format
└── TrainingError    training that cannot start or had to stop
"""

from __future__ import annotations

from webfaq_domains.ground.errors import WebFAQError


class EvalError(WebFAQError):
    """Base of all errors that a command shows as one line."""


class BenchmarkError(EvalError):
    """A staged or published data set that cannot be read as one."""


class ModelError(EvalError):
    """An encoder that cannot be loaded, or lacks what was asked of it."""


class VectorError(EvalError):
    """A vector cache, or vectors, that cannot be trusted."""


class ResultError(EvalError):
    """A result file that is missing, broken or does not fit the others."""


class TaskDataError(EvalError):
    """A training or task file that is not in its format; says file and line."""


class TrainingError(EvalError):
    """Training that cannot start or had to stop; says where the last good checkpoint is."""
