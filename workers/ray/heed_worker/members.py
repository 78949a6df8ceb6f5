"""The workers of one job: requests in their order; lost workers started again, and filled from one that has the same state."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from .worker import Unfilled

#: Buffers and sessions with smaller numbers are on all workers alike; larger ones belong to one (`cluster/team.ts`).
OWN = 2**40
#: A request that ends a worker so often in a row is at fault itself.
MOST_LOSSES = 3
RESTART_SECONDS = 120.0
NOBODY_LEFT = "No worker of the cluster is left that holds the state of the training."


class Lost(Exception):
    """A worker was lost, and with it what only that worker held."""


class StateLost(Exception):
    """The common state is lost, or cannot be given to a worker. Its words say which."""


@dataclass
class Member:
    """A worker's place in the team, whatever process fills it."""

    index: int
    handle: Any
    queue: asyncio.Queue[Alone | Together] = field(default_factory=asyncio.Queue)
    #: How often it was lost.
    losses: int = 0
    filled: bool = True
    pid: int = 0
    #: Seconds of work since the gateway began.
    seconds: float = 0.0
    #: Seconds in which it was waited for, after it had been lost.
    lost_seconds: float = 0.0


@dataclass
class Alone:
    """Work for one worker."""

    work: Callable[[Member], Awaitable[Any]]
    done: asyncio.Future[Any]
    #: Whether it may be done twice: a loss of the worker then does not show.
    again: bool
    #: The number of losses that the worker had when it was given what this work needs.
    life: int | None


@dataclass
class Together:
    """Work for all workers at once."""

    work: Callable[[], Awaitable[Any]]
    done: asyncio.Future[Any]
    missing: int


class Members:
    """Runs work on workers. Each takes its work piece by piece, in order."""

    def __init__(self, handles: list[Any], patience: float) -> None:
        self.all = [Member(index, handle) for index, handle in enumerate(handles)]
        self.patience = patience
        self.restart_seconds = RESTART_SECONDS
        self.tasks = [asyncio.create_task(self._consume(member)) for member in self.all]

    async def begin(self) -> None:
        """Waits until every worker runs."""
        for member in self.all:
            member.pid = await member.handle.begin.remote(True)

    @property
    def losses(self) -> int:
        """How often any worker was lost."""
        return sum(member.losses for member in self.all)

    def alone(self, index: int, work: Callable[[Member], Awaitable[Any]], again: bool, life: int | None) -> asyncio.Future[Any]:
        """Queues work for one worker."""
        piece = Alone(work, asyncio.get_running_loop().create_future(), again, life)
        self.all[index].queue.put_nowait(piece)
        return piece.done

    def together(self, work: Callable[[], Awaitable[Any]]) -> asyncio.Future[Any]:
        """Queues work that begins when every worker has done what came before, and is filled."""
        piece = Together(work, asyncio.get_running_loop().create_future(), len(self.all))
        for member in self.all:
            member.queue.put_nowait(piece)
        return piece.done

    async def each(self, work: Callable[[Member], Awaitable[Any]]) -> Any:
        """Has every worker do the same; the answer of the first that is not lost meanwhile. A lost one takes it over with the state."""
        answers = await asyncio.gather(*(work(member) for member in self.all), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Lost):
                raise answer
        kept = [answer for answer in answers if not isinstance(answer, Lost)]
        if not kept:
            raise StateLost(NOBODY_LEFT)
        return kept[0]

    async def call(self, member: Member, method: str, *args: Any) -> Any:
        """Calls a worker. @raises Lost where it ends, or does not answer in time"""
        try:
            return await asyncio.wait_for(getattr(member.handle, method).remote(*args), self.patience)
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, Unfilled):
                self._lose(member, "was started again")
            if isinstance(cause, (Unfilled, RayError)):
                raise Lost from error
            raise cause from None
        except RayActorError as error:
            self._lose(member, "ended")
            raise Lost from error
        except RayError as error:
            # An object that was on a worker which is lost.
            raise Lost from error
        except asyncio.TimeoutError as error:
            self._lose(member, f"did not answer within {self.patience:.0f} s, and is ended")
            ray.kill(member.handle, no_restart=False)
            raise Lost from error

    def _lose(self, member: Member, what: str) -> None:
        if member.filled:
            member.filled = False
            member.losses += 1
            print(f"heed: worker {member.index} (pid {member.pid}) {what}", file=sys.stderr, flush=True)

    async def _consume(self, member: Member) -> None:
        while True:
            piece = await member.queue.get()
            try:
                await self._fill(member)
                if isinstance(piece, Alone):
                    _settle(piece.done, await self._alone(member, piece))
                    continue
                piece.missing -= 1
                if piece.missing == 0 and not piece.done.done():
                    _settle(piece.done, await piece.work())
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                _settle(piece.done, None, error)
            await asyncio.wait([piece.done])

    async def _alone(self, member: Member, piece: Alone) -> Any:
        for _ in range(MOST_LOSSES):
            if piece.life is not None and piece.life != member.losses:
                raise Lost
            try:
                return await piece.work(member)
            except Lost:
                if not piece.again:
                    raise
                await self._fill(member)
        raise RuntimeError(f"worker {member.index} ended {MOST_LOSSES} times over the same request")

    async def _fill(self, member: Member) -> None:
        """Waits for a worker that was lost, and gives it the state of another."""
        if member.filled:
            return
        started = time.monotonic()
        for _ in range(MOST_LOSSES):
            for source in [other for other in self.all if other.filled]:
                try:
                    (state,) = await self.call(source, "export", OWN)
                    member.pid = await self._restarted(member)
                    await self.call(member, "adopt", state)
                except Lost:
                    continue
                member.filled = True
                member.lost_seconds += time.monotonic() - started
                print(f"heed: worker {member.index} goes on (pid {member.pid})", file=sys.stderr, flush=True)
                return
        raise StateLost(NOBODY_LEFT)

    async def _restarted(self, member: Member) -> int:
        """Waits for the process that Ray starts. @raises StateLost where none comes: no machine has cores for it, say"""
        until = time.monotonic() + self.restart_seconds
        while True:
            try:
                return int(await asyncio.wait_for(member.handle.begin.remote(False), max(0.1, until - time.monotonic())))
            except (RayActorError, asyncio.TimeoutError) as error:
                if time.monotonic() > until:
                    raise StateLost(
                        f"Worker {member.index} of the cluster was lost, and Ray did not start it again within "
                        f"{self.restart_seconds:.0f} s: its machine may be gone, and no other one has cores that are free."
                    ) from error
                await asyncio.sleep(0.1)


def _settle(done: asyncio.Future[Any], value: Any, error: Exception | None = None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(value)
    else:
        done.set_exception(error)
