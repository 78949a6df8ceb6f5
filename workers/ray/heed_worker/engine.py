"""Buffers and sessions of one worker: what `packages/tensor/src/runtime/worker.ts` does on one machine, with the same programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]

from .frames import DTYPES, Array
from .weights import home

Request = dict[str, Any]
#: An output or input of the graph: an array, and the shape that the graph sees.
Placed = tuple[Array, tuple[int, ...]]

#: The first output of every program: under Node it ends a run before outputs are copied (`cpu.ts`). Here it is left alone.
STOP = "__stop"


@dataclass
class View:
    """A part of a buffer seen as a tensor, for an input, an output or a move."""

    slot: int
    buffer: int
    offset: int
    shape: tuple[int, ...]


def unpack_views(packed: Array | None) -> list[View]:
    """Views as `packViews` of messages.ts writes them: slot, buffer, offset, rank, dimensions."""
    views: list[View] = []
    numbers: list[int] = [] if packed is None else packed.astype(np.int64).tolist()  # type: ignore[assignment]
    at = 0
    while at < len(numbers):
        slot, buffer, offset, rank = numbers[at : at + 4]
        views.append(View(slot, buffer, offset, tuple(numbers[at + 4 : at + 4 + rank])))
        at += 4 + rank
    return views


@dataclass
class Compiled:
    """A session with what its runs have in common."""

    request: Request
    session: ort.InferenceSession
    binding: Any
    feeds: dict[str, View] = field(default_factory=dict)
    into: dict[str, View] = field(default_factory=dict)
    #: What the binding holds now, by name.
    bound: dict[str, Placed] = field(default_factory=dict)


class Engine:
    """Answers the requests of messages.ts, one after the other."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.buffers: dict[int, tuple[str, Array]] = {}
        self.sessions: dict[int, Compiled] = {}

    def handle(self, request: Request) -> list[tuple[str, Array]]:
        """Does what is asked; the arrays of the answer with their element types."""
        kind = request["kind"]
        if kind == "allocate":
            self.buffers[request["buffer"]] = (request["dtype"], np.zeros(request["length"], DTYPES[request["dtype"]]))
        elif kind == "upload":
            self.buffers[request["buffer"]] = (request["dtype"], np.array(request["data"].view(DTYPES[request["dtype"]])))
        elif kind == "read":
            (view,) = unpack_views(request["view"])
            array = self.array(view).copy()
            return [(self.buffers[view.buffer][0], array)]
        elif kind == "write":
            (view,) = unpack_views(request["view"])
            self.array(view)[:] = request["data"].view(self.array(view).dtype)
        elif kind == "copy":
            views = unpack_views(request["moves"])
            for source, target in zip(views[::2], views[1::2]):
                # The two may overlap.
                self.array(target)[:] = self.array(source).copy()
        elif kind == "free":
            self._free(request["buffer"])
        elif kind == "compile":
            self._compile(request)
        elif kind == "bind":
            self._bind(request)
        elif kind == "run":
            self._bind(request)
            return self._run(self.session_of(request["session"]), request)
        elif kind == "release":
            del self.sessions[request["session"]]
        else:
            raise ValueError(f"a worker knows no request {kind!r}")
        return []

    def array(self, view: View) -> Array:
        """The elements of a view, as a vector in the buffer's own memory."""
        if view.buffer not in self.buffers:
            raise KeyError(f"Buffer {view.buffer} was never allocated or has been freed.")
        _, data = self.buffers[view.buffer]
        length = int(np.prod(view.shape, dtype=np.int64))
        if view.offset + length > data.size:
            raise ValueError(f"{view.shape} at element {view.offset} does not fit a buffer of {data.size} elements.")
        return data[view.offset : view.offset + length]

    def session_of(self, number: int) -> Compiled:
        """A session by its number."""
        if number not in self.sessions:
            raise KeyError(f"Session {number} was never compiled or has been released.")
        return self.sessions[number]

    def export(self, below: int) -> Request:
        """Buffers and sessions with numbers below a limit: all that the workers of a team have in common."""
        return {
            "buffers": {number: held for number, held in self.buffers.items() if number < below},
            "sessions": [
                (held.request, held.feeds, held.into) for number, held in self.sessions.items() if number < below
            ],
        }

    def adopt(self, state: Request) -> None:
        """Becomes as the worker was whose `export` this is."""
        self.sessions.clear()
        self.buffers = {number: (dtype, np.array(data)) for number, (dtype, data) in state["buffers"].items()}
        for request, feeds, into in state["sessions"]:
            self._compile(request)
            compiled = self.sessions[request["session"]]
            compiled.feeds.update(feeds)
            compiled.into.update(into)

    def _free(self, number: int) -> None:
        _, data = self.buffers.pop(number)
        for compiled in self.sessions.values():
            # A binding keeps no memory alive. Heed refuses runs that would still need it.
            for name in [name for name, (held, _) in compiled.bound.items() if held is data or held.base is data]:
                del compiled.bound[name]
            for kept in (compiled.feeds, compiled.into):
                for name in [name for name, view in kept.items() if view.buffer == number]:
                    del kept[name]

    def _compile(self, request: Request) -> None:
        options = ort.SessionOptions()
        # As `sessionOptions` of cpu.ts, which says why.
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = True
        options.log_severity_level = 3
        options.add_session_config_entry("session.disable_prepacking", "0" if request["prepack"] else "1")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        folder = request.get("folder") if request.get("digest") is None else str(home() / request["digest"])
        if folder is not None:
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
        session = ort.InferenceSession(request["bytes"].tobytes(), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        if any(output.name == STOP for output in session.get_outputs()):
            binding.bind_output(STOP, "cpu")
        self.sessions[request["session"]] = Compiled(request, session, binding)

    def _bind(self, request: Request) -> None:
        compiled = self.session_of(request["session"])
        for key, ports, kept in (("bind", "inputs", compiled.feeds), ("bindInto", "outputs", compiled.into)):
            for view in unpack_views(request.get(key)):
                kept[compiled.request[ports][view.slot]["name"]] = view

    def _run(self, compiled: Compiled, request: Request) -> list[tuple[str, Array]]:
        asked, plan = compiled.request, request["plan"]
        feeds = {asked["inputs"][view.slot]["name"]: view for view in unpack_views(request["feeds"])}
        inputs: dict[str, Placed] = {name: (self.array(view), view.shape) for name, view in {**compiled.feeds, **feeds}.items()}
        for name, values in zip(asked["sizes"], plan["sizes"]):
            inputs[name] = (np.array(values, np.int64), (len(values),))
        for feed in request["host"]:
            port = asked["inputs"][feed["slot"]]
            inputs[port["name"]] = (np.ascontiguousarray(feed["data"].view(DTYPES[port["dtype"]])), tuple(feed["shape"]))

        into = {asked["outputs"][view.slot]["name"]: view for view in unpack_views(request["into"])}
        outputs = {name: (self.array(view), view.shape) for name, view in {**compiled.into, **into}.items()}
        fresh: list[tuple[str, Array]] = []
        for port, shape in zip(asked["outputs"], plan["shapes"]):
            if port["name"] in outputs:
                continue
            data = np.empty(int(np.prod(shape, dtype=np.int64)), DTYPES[port["dtype"]])
            outputs[port["name"]] = (data, tuple(shape))
            fresh.append((port["dtype"], data))
        for name, placed in inputs.items():
            self._place(compiled, compiled.binding.bind_input, name, placed)
        for name, placed in outputs.items():
            self._place(compiled, compiled.binding.bind_output, name, placed)
        compiled.session.run_with_iobinding(compiled.binding)
        return fresh

    def _place(self, compiled: Compiled, bind: Any, name: str, placed: Placed) -> None:
        """Binds an array where the binding does not hold it yet; a training program has a thousand."""
        data, shape = placed
        known = compiled.bound.get(name)
        # An array that was held is alive, so another one cannot have its address.
        if known is not None and known[0].ctypes.data == data.ctypes.data and known[1] == shape:
            return
        bind(name, "cpu", 0, data.dtype.type, shape, data.ctypes.data)
        compiled.bound[name] = placed
