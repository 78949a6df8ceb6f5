"""Workers that are lost, with workers that need no Ray: what is taken over, what is done again, and when it is given up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError, RayActorError

from heed_worker.members import Lost, Member, Members, StateLost


class Process:
    """A worker's process: a log of what it did, which is its state. `ends` says at which call it ends."""

    def __init__(self) -> None:
        self.log: list[str] | None = []
        self.ends: Callable[[str], bool] = lambda what: False
        self.restarts = 0

    async def do(self, method: str, args: tuple[Any, ...]) -> Any:
        await asyncio.sleep(0)
        if method == "begin":
            return 100 + self.restarts
        if method == "adopt":
            self.log = list(args[0])
            return None
        if self.log is None:
            raise RayActorError
        if method == "export":
            return [list(self.log)]
        if self.ends(args[0]):
            self.log = None
            self.restarts += 1
            raise ActorUnavailableError("it ended", None)
        self.log.append(args[0])
        return list(self.log)


class Call:
    def __init__(self, process: Process, method: str) -> None:
        self.process, self.method = process, method

    def remote(self, *args: Any) -> Awaitable[Any]:
        return self.process.do(self.method, args)


class Handle:
    def __init__(self, process: Process) -> None:
        self.process = process

    def __getattr__(self, method: str) -> Call:
        return Call(self.process, method)


def work(what: str, members: Members) -> Callable[[Member], Awaitable[Any]]:
    return lambda member: members.call(member, "handle", what)


def team(count: int, body: Callable[[Members, list[Process]], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        processes = [Process() for _ in range(count)]
        members = Members([Handle(one) for one in processes], 5)
        await body(members, processes)
        for task in members.tasks:
            task.cancel()

    asyncio.run(all_of_it())


def test_what_all_do_is_taken_over_and_not_done_twice() -> None:
    async def body(members: Members, processes: list[Process]) -> None:
        processes[1].ends = lambda what: what == "step 2" and processes[1].restarts == 0
        done = [members.together(lambda step=step: members.each(work(f"step {step}", members))) for step in (1, 2, 3)]
        await asyncio.gather(*done)
        assert processes[0].log == processes[1].log == ["step 1", "step 2", "step 3"]
        assert [member.losses for member in members.all] == [0, 1]
        assert [member.lost_seconds > 0 for member in members.all] == [False, True]
        assert all(member.filled for member in members.all)

    team(2, body)


def test_a_request_to_one_worker_is_done_again_only_if_it_may() -> None:
    async def body(members: Members, processes: list[Process]) -> None:
        processes[1].ends = lambda what: processes[1].restarts < {"read": 1, "add": 2}[what]
        assert await members.alone(1, work("read", members), True, None) == ["read"]
        with pytest.raises(Lost):
            await members.alone(1, work("add", members), False, None)
        assert await members.alone(1, work("add", members), False, None) == ["add"]
        assert members.losses == 2

    team(2, body)


def test_what_only_an_earlier_life_held_is_lost() -> None:
    async def body(members: Members, processes: list[Process]) -> None:
        processes[0].ends = lambda what: what == "end" and processes[0].restarts == 0
        await members.alone(0, work("end", members), True, None)
        with pytest.raises(Lost):
            await members.alone(0, work("mine", members), False, 0)
        assert await members.alone(0, work("mine", members), False, 1) == ["end", "mine"]

    team(2, body)


def test_an_error_is_no_loss() -> None:
    async def body(members: Members, processes: list[Process]) -> None:
        async def refuse(member: Member) -> None:
            raise ValueError("no such buffer")

        for done in (members.alone(0, refuse, True, None), members.together(lambda: members.each(refuse))):
            with pytest.raises(ValueError, match="no such buffer"):
                await done
        assert members.losses == 0

    team(2, body)


def test_without_a_worker_that_holds_the_state_it_is_lost() -> None:
    async def body(members: Members, processes: list[Process]) -> None:
        for one in processes:
            one.ends = lambda what: True
        with pytest.raises(StateLost):
            await members.together(lambda: members.each(work("step", members)))
        with pytest.raises(StateLost):
            await members.alone(0, work("read", members), True, None)

    team(2, body)


def test_a_request_that_always_ends_its_worker_is_given_up() -> None:
    async def body(members: Members, processes: list[Process]) -> None:
        processes[1].ends = lambda what: what == "crash"
        with pytest.raises(RuntimeError, match="worker 1 ended 3 times over the same request"):
            await members.alone(1, work("crash", members), True, None)
        assert await members.alone(1, work("read", members), True, None) == ["read"]

    team(2, body)


@pytest.mark.parametrize("refuses", [True, False])
def test_a_worker_that_does_not_come_back_ends_the_wait(refuses: bool) -> None:
    tries = 0

    async def body(members: Members, processes: list[Process]) -> None:
        members.restart_seconds = 0.05
        processes[1].ends = lambda what: True
        whole = processes[1].do

        async def gone(method: str, args: tuple[Any, ...]) -> Any:
            nonlocal tries
            if method != "begin":
                return await whole(method, args)
            tries += 1
            if refuses:
                raise ActorUnavailableError("no machine has a core", None)
            return await asyncio.sleep(60)

        processes[1].do = gone  # type: ignore[method-assign]
        with pytest.raises(StateLost, match="Worker 1 of the cluster was lost, and Ray did not start it again within 0 s"):
            await members.alone(1, work("read", members), True, None)
        assert tries == 1 or refuses
        assert members.losses == 1

    team(3, body)


def test_a_worker_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Any] = []
    monkeypatch.setattr("ray.kill", lambda handle, no_restart: ended.append(handle))

    async def body(members: Members, processes: list[Process]) -> None:
        members.patience = 0.01

        async def stuck(method: str, args: tuple[Any, ...]) -> Any:
            await asyncio.sleep(60)

        whole, processes[0].do = processes[0].do, stuck  # type: ignore[method-assign]
        with pytest.raises(Lost):
            await members.alone(0, work("add", members), False, None)
        assert ended == [members.all[0].handle]
        processes[0].do = whole  # type: ignore[method-assign]
        members.patience = 5
        assert await members.alone(0, work("read", members), True, None) == ["read"]

    team(2, body)
