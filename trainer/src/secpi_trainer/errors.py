"""The trainer's errors: each has a code of the pipeline's catalogue, a message and a remedy."""

from __future__ import annotations

from typing import Any

EXIT_FINISHED = 0
EXIT_BAD_CONFIG = 64
EXIT_FAILED = 70
EXIT_PREEMPTED = 75


class TrainerError(Exception):
    """A failure the caller can act on; printed as an `error` event."""

    def __init__(
        self, code: str, message: str, remedy: str, *, field: str | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.field = field
        self.details = details or {}

    @property
    def exit_code(self) -> int:
        return EXIT_BAD_CONFIG if self.code == "RECIPE_INVALID" else EXIT_FAILED

    def event(self) -> dict[str, Any]:
        """The error as a protocol line."""
        line: dict[str, Any] = {"event": "error", "code": self.code}
        if self.field is not None:
            line["field"] = self.field
        return {**line, "message": self.message, "remedy": self.remedy, **self.details}


def is_out_of_memory(error: BaseException) -> bool:
    """True for what Python and torch raise when an allocation fails.

    torch's own class is a RuntimeError for the GPU; its CPU allocator and cuBLAS raise a plain one. Told by their
    words, this file needs no torch.
    """
    if isinstance(error, MemoryError):
        return True
    words = ("can't allocate memory", "not enough memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def unexpected_failure(error: BaseException) -> TrainerError:
    """An error nobody foresaw, as one the parent can show."""
    return TrainerError(
        "TRAINER_FAILED",
        f"{type(error).__name__}: {error}"[:1000],
        "See the trainer's log (stderr) for the traceback; the last checkpoint can be resumed.",
    )
