"""Which requests are decoded together, and with what random numbers.

Text depends on the batch it was written in, so a client that wants the same text again names its batch: all requests
with the header `x-secpi-batch: <id>/<size>` wait for each other, are put in an order that arrival cannot change, and
are decoded as one.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from . import api
from .api import ApiError, ChatRequest
from .decoder import Decoder, Sequence

MAX_BATCH_REQUESTS = 1024
ARRIVAL_LIMIT_SECONDS = 10.0
# Requests without a header that arrive within this time of the first are decoded together.
WINDOW_SECONDS = 0.02


@dataclass(frozen=True)
class BatchName:
    """A parsed `x-secpi-batch` header."""

    id: str
    size: int


def parse_batch_name(header: str) -> BatchName:
    """Parses `<id>/<size>`; the id may itself contain slashes."""
    name, _, size = header.rpartition("/")
    if not name or not size.isdecimal() or not 1 <= int(size) <= MAX_BATCH_REQUESTS:
        raise ApiError(
            400, "invalid_batch", f"x-secpi-batch must be <id>/<size> with a size of 1 to {MAX_BATCH_REQUESTS}"
        )
    return BatchName(name, int(size))


@dataclass
class Pending:
    """A request waiting for its answer."""

    request: ChatRequest
    prompt_ids: list[int]
    max_new_tokens: int
    answer: Future[list[Sequence]] = field(default_factory=Future)


@dataclass
class _Gathering:
    size: int
    deadline: float
    members: list[Pending] = field(default_factory=list)


def _seed_of(*parts: object) -> int:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def in_order(members: list[Pending]) -> list[Pending]:
    """Sorted by seed, then content: the order does not depend on arrival."""
    return sorted(members, key=lambda m: (m.request.seed is not None, m.request.seed or 0, m.request.content_key))


def sequences_of(members: list[Pending], *, named: bool) -> list[list[Sequence]]:
    """The texts to write for each request of one group, with seeds drawn from the whole group.

    In a named group, equal requests get different seeds by their position. A request on its own is repeatable by its
    seed; without one it is random.
    """
    keys = [member.request.content_key for member in members]
    if not named and all(member.request.seed is None for member in members):
        keys.append(os.urandom(16).hex())
    group = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return [
        [
            Sequence(
                prompt_ids=member.prompt_ids,
                max_new_tokens=member.max_new_tokens,
                temperature=member.request.temperature,
                top_p=member.request.top_p,
                stop=member.request.stop,
                seed=_seed_of(group, position, choice),
            )
            for choice in range(member.request.choices)
        ]
        for position, member in enumerate(members)
    ]


class Batcher:
    """Gathers requests into groups and decodes them one after another in its own thread."""

    def __init__(self, decoder: Decoder, max_rows: int) -> None:
        self._decoder = decoder
        self._max_rows = max_rows
        self._changed = threading.Condition()
        self._gathering: dict[str, _Gathering] = {}
        self._ready: deque[list[Pending]] = deque()
        self._singles: deque[tuple[float, Pending]] = deque()
        threading.Thread(target=self._run, name="decode", daemon=True).start()

    def submit(self, request: ChatRequest, prompt_ids: list[int], batch: BatchName | None) -> Future[list[Sequence]]:
        """Queues a request; the future holds one finished sequence per choice, or an `ApiError`."""
        room = self._decoder.context_tokens - len(prompt_ids)
        if room < (request.max_new_tokens or 1):
            raise ApiError(
                400,
                "context_length_exceeded",
                f"{len(prompt_ids)} prompt tokens and {request.max_new_tokens or 1} new ones exceed the context of "
                f"{self._decoder.context_tokens}",
                "messages",
            )
        pending = Pending(request, prompt_ids, request.max_new_tokens or min(room, api.DEFAULT_NEW_TOKENS))
        with self._changed:
            if batch is None:
                self._singles.append((time.monotonic(), pending))
            else:
                self._gather(batch, pending)
            self._changed.notify()
        return pending.answer

    def _gather(self, batch: BatchName, pending: Pending) -> None:
        deadline = time.monotonic() + ARRIVAL_LIMIT_SECONDS
        group = self._gathering.setdefault(batch.id, _Gathering(batch.size, deadline))
        if group.size != batch.size:
            raise ApiError(400, "invalid_batch", f"batch {batch.id} was announced with size {group.size} before")
        group.members.append(pending)
        if len(group.members) == group.size:
            del self._gathering[batch.id]
            self._ready.append(in_order(group.members))

    def _expire(self, now: float) -> None:
        for name in [name for name, group in self._gathering.items() if group.deadline <= now]:
            group = self._gathering.pop(name)
            error = ApiError(
                408,
                "batch_incomplete",
                f"{len(group.members)} of {group.size} requests of batch {name} arrived in time; send the whole again",
            )
            for member in group.members:
                member.answer.set_exception(error)

    def _next(self) -> tuple[list[Pending], bool]:
        """Blocks until a group is due: a complete named one, else the singles whose window has closed."""
        with self._changed:
            while True:
                now = time.monotonic()
                self._expire(now)
                if self._ready:
                    return self._ready.popleft(), True
                if self._singles and now >= self._singles[0][0] + WINDOW_SECONDS:
                    members = [pending for _, pending in self._singles]
                    self._singles.clear()
                    return members, False
                due = [group.deadline for group in self._gathering.values()]
                if self._singles:
                    due.append(self._singles[0][0] + WINDOW_SECONDS)
                self._changed.wait(None if not due else max(min(due) - now, 0.0))

    def _run(self) -> None:
        while True:
            members, named = self._next()
            if named:
                per_request = sequences_of(members, named=True)
            else:
                per_request = [part for member in members for part in sequences_of([member], named=False)]
            try:
                rows = [sequence for sequences in per_request for sequence in sequences]
                for start in range(0, len(rows), self._max_rows):
                    self._decoder.complete(rows[start : start + self._max_rows])
            except (RuntimeError, MemoryError) as error:
                # The server outlives one bad batch; its clients hear why.
                for member in members:
                    member.answer.set_exception(ApiError(500, "generation_failed", str(error)[:500]))
                continue
            for member, sequences in zip(members, per_request, strict=True):
                member.answer.set_result(sequences)
