"""The actor on each machine."""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from typing import Any

import ray

from . import weights
from .engine import Engine, Request
from .frames import Array


class Unfilled(Exception):
    """The worker was started again, and holds nothing yet."""


class Worker:
    """An engine behind Ray. One that Ray starts again refuses all but `where`, `begin` and `adopt`."""

    def __init__(self, threads: int) -> None:
        faulthandler.enable(sys.stderr)
        self.engine = Engine(threads)
        self.filled = False

    def where(self) -> int:
        """The process that answers."""
        return os.getpid()

    def begin(self) -> None:
        """The worker starts with nothing."""
        self.filled = True

    def handle(self, request: Request) -> tuple[list[str], list[Array], float]:
        """Answers a request: element types, arrays, seconds."""
        self._require_filled()
        started = time.perf_counter()
        answer = weights.handle(request) if request["kind"] in weights.KINDS else self.engine.handle(request)
        return [dtype for dtype, _ in answer], [array for _, array in answer], time.perf_counter() - started

    def part(self, request: Request) -> list[Any]:
        """What a view holds here, as a reference to an object of Ray."""
        self._require_filled()
        ((_, array),) = self.engine.handle({"kind": "read", "view": request["view"]})
        return [ray.put(array)]

    def take_sum(self, request: Request, *parts: Array) -> None:
        """Adds up the parts of several workers, always in the same order, into a view."""
        self._require_filled()
        total = parts[0].copy()
        for part in parts[1:]:
            total += part
        self.engine.handle({"kind": "write", "view": request["view"], "data": total})

    def export(self, below: int) -> list[Any]:
        """All that the workers have in common, as a reference to an object of Ray."""
        self._require_filled()
        return [ray.put(self.engine.export(below))]

    def adopt(self, state: Request) -> None:
        """Goes on from another worker's state."""
        self.engine.adopt(state)
        self.filled = True

    def _require_filled(self) -> None:
        if not self.filled:
            raise Unfilled
