"""The actor on each machine."""

from __future__ import annotations

import os
import time
from functools import reduce
from typing import Any

import numpy as np
import ray

from . import weights
from .engine import Engine, Request
from .frames import Array


class Unfilled(Exception):
    """The worker was started again, and holds nothing yet."""


class Worker:
    """An engine behind Ray. One that Ray starts again refuses all but `begin` and `adopt`."""

    def __init__(self, threads: int) -> None:
        self.engine = Engine(threads)
        self.filled = False

    def begin(self, first: bool) -> int:
        """The process that answers. `first`: it need not be filled, because no other worker holds anything yet."""
        self.filled = first
        return os.getpid()

    def handle(self, request: Request) -> tuple[list[str], list[Array], float]:
        """Answers a request: element types, arrays, seconds."""
        self._require_filled()
        started = time.perf_counter()
        answer = weights.handle(request) if request["kind"] in weights.KINDS else self.engine.handle(request)
        return [dtype for dtype, _ in answer], [array for _, array in answer], time.perf_counter() - started

    def pieces(self, request: Request, count: int) -> list[Any]:
        """What a view holds here, in pieces of equal length, as references to objects of Ray."""
        self._require_filled()
        ((_, array),) = self.engine.handle({"kind": "read", "view": request["view"]})
        return [ray.put(piece) for piece in np.array_split(array, count)]

    def add(self, *pieces: Array) -> list[Any]:
        """The sum of several workers' pieces, added up in their order, as a reference."""
        return [ray.put(reduce(np.add, pieces))]

    def take(self, request: Request, *pieces: Array) -> None:
        """Writes the sum, piece by piece, into a view."""
        self._require_filled()
        self.engine.handle({"kind": "write", "view": request["view"], "data": np.concatenate(pieces)})

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
