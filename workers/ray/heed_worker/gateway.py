"""The gateway: takes Heed's requests over one connection, and has workers answer them."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import sys
from typing import Any

import numpy as np
import ray

from .frames import Array, encode, read_frame
from .members import Lost, Member, Members, StateLost

#: Requests that may hold millions of numbers, or a program.
LONG = ("compile", "upload", "write", "piece")
#: How long a client is waited for.
CLIENT_SECONDS = 60
#: Reading ahead of what is being worked on.
AHEAD = 1 << 24


class Gateway:
    """Serves one client: a second one is turned away."""

    def __init__(self, members: Members, threads: int, token: str) -> None:
        self.members = members
        self.threads = threads
        self.token = token
        self.taken = asyncio.Event()
        self.closed = asyncio.Event()
        self.answers: set[asyncio.Task[None]] = set()

    async def listen(self, host: str) -> int:
        """Listens on a free port."""
        server = await asyncio.start_server(self._serve, host, 0, limit=AHEAD)
        return int(server.sockets[0].getsockname()[1])

    async def finished(self) -> None:
        """Waits until the client has come and gone."""
        try:
            await asyncio.wait_for(self.taken.wait(), CLIENT_SECONDS)
        except asyncio.TimeoutError:
            raise SystemExit("heed: nobody came") from None
        await self.closed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = await asyncio.wait_for(reader.readline(), 10)
            known = hmac.compare_digest(hello.strip(), f"heed 1 {self.token}".encode())
            if not known or self.taken.is_set():
                writer.write(b"taken\n" if known else b"refused\n")
                return
            self.taken.set()
            writer.write(f"ok {len(self.members.all)} {self.threads}\n".encode())
            try:
                await self._answer_all(reader, writer)
            finally:
                self.closed.set()
        except (asyncio.TimeoutError, ConnectionError, asyncio.IncompleteReadError) as error:
            print(f"heed: the connection ended: {error!r}", file=sys.stderr, flush=True)
        finally:
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sending = asyncio.Lock()
        while (frame := await read_frame(reader)) is not None:
            # Queued here, in the order of the frames; answered when it is done.
            done = self._ask(frame)
            task = asyncio.create_task(self._answer(frame["id"], done, writer, sending))
            self.answers.add(task)
            task.add_done_callback(self.answers.discard)

    def _ask(self, frame: dict[str, Any]) -> asyncio.Future[Any]:
        request, to = frame["request"], frame["to"]
        if request["kind"] == "sum":
            return self.members.together(lambda: self._sum(request))
        if request["kind"] == "weights":
            return self.members.together(lambda: self._all_have(request))
        if to == "all":
            # What is long goes through the store of objects once, and not to each worker by itself.
            sent = ray.put(request) if request["kind"] in LONG else request
            return self.members.together(lambda: self.members.each(lambda member: self._handle(member, sent)))
        return self.members.alone(int(to), lambda member: self._handle(member, request), bool(frame["again"]), frame.get("life"))

    async def _handle(self, member: Member, request: Any) -> list[tuple[str, Array]]:
        dtypes, arrays, seconds = await self.members.call(member, "handle", request)
        member.seconds += seconds
        return list(zip(dtypes, arrays))

    async def _all_have(self, request: dict[str, Any]) -> list[tuple[str, Array]]:
        answers = await asyncio.gather(*(self._handle(member, request) for member in self.members.all))
        return [("uint8", np.array([all(array[0] for ((_, array),) in answers)], np.uint8))]

    async def _sum(self, request: dict[str, Any]) -> list[tuple[str, Array]]:
        """
        Adds up what the first `count` workers hold. Each worker adds up one piece, and all take the sums of all pieces: two gradients cross
        each machine's network, however many workers there are. Where a worker is lost meanwhile, the sum has no meaning.
        """
        call, everyone = self.members.call, self.members.all
        parts = await asyncio.gather(*(call(member, "pieces", request, len(everyone)) for member in everyone[: request["count"]]))
        sums = await asyncio.gather(*(call(member, "add", *(part[i] for part in parts)) for i, member in enumerate(everyone)))
        await asyncio.gather(*(call(member, "take", request, *(total for (total,) in sums)) for member in everyone))
        return []

    async def _answer(self, number: int, done: asyncio.Future[Any], writer: asyncio.StreamWriter, sending: asyncio.Lock) -> None:
        head: dict[str, Any] = {"id": number}
        arrays: list[tuple[str, Array]] = []
        try:
            arrays = await done
        except Lost:
            head["lost"] = "worker"
        except StateLost as error:
            head["lost"], head["error"] = "state", str(error)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            head["error"] = error.args[0] if isinstance(error, KeyError) else str(error)
        members = self.members.all
        head["alive"] = [member.filled for member in members]
        head["losses"] = [member.losses for member in members]
        head["seconds"] = [round(member.seconds, 3) for member in members]
        head["lostSeconds"] = [round(member.lost_seconds, 3) for member in members]
        async with sending:
            with contextlib.suppress(ConnectionError):
                writer.writelines(encode(head, arrays))
                await writer.drain()
