"""The engine: memory and programs, with numbers worked out by hand."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from heed_worker.engine import STOP, Engine


def packed(*views: tuple[int, int, int, tuple[int, ...]]) -> np.ndarray:
    """Views as Heed packs them: slot, buffer, offset, shape."""
    return np.array([n for slot, buffer, offset, shape in views for n in (slot, buffer, offset, len(shape), *shape)], np.float64)


def program() -> np.ndarray:
    """y = a · x + y, with the stop output that programs for Node have."""
    nodes = [
        helper.make_node("Cast", ["zero"], [STOP], to=TensorProto.BFLOAT16),
        helper.make_node("Mul", ["a", "x"], ["ax"]),
        helper.make_node("Add", ["ax", "y"], ["sum"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "graph", [value("a", TensorProto.FLOAT, []), value("x", TensorProto.FLOAT, [2]), value("y", TensorProto.FLOAT, [2])],
        [value(STOP, TensorProto.BFLOAT16, []), value("sum", TensorProto.FLOAT, [2])],
        [helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return np.frombuffer(model.SerializeToString(), np.uint8)


def compiled() -> Engine:
    engine = Engine(1)
    ports = [{"name": name, "dtype": "float32"} for name in ("a", "x", "y")]
    engine.handle({
        "kind": "compile", "session": 0, "bytes": program(), "prepack": False, "inputs": ports,
        "outputs": [{"name": "sum", "dtype": "float32"}], "sizes": [],
    })
    engine.handle({"kind": "upload", "buffer": 0, "dtype": "float32", "data": np.array([9, 1, 2], np.float32)})
    engine.handle({"kind": "upload", "buffer": 1, "dtype": "float32", "data": np.array([10, 20], np.float32)})
    return engine


def run(a: float, **more: Any) -> dict[str, Any]:
    host = [{"slot": 0, "data": np.array([a], np.float32), "shape": []}]
    return {"kind": "run", "session": 0, "plan": {"sizes": [], "shapes": [[2]]}, "host": host, "feeds": packed(), "into": packed(), **more}


def held(engine: Engine, buffer: int, length: int) -> list[float]:
    ((_, array),) = engine.handle({"kind": "read", "view": packed((0, buffer, 0, (length,)))})
    return list(array)


VIEWS = {"bind": packed((1, 0, 1, (2,)), (2, 1, 0, (2,)))}


def test_runs_give_arrays_and_keep_what_is_bound() -> None:
    engine = compiled()
    ((dtype, array),) = engine.handle(run(3, **VIEWS))
    assert (dtype, list(array)) == ("float32", [13, 26])
    assert [list(array) for _, array in engine.handle(run(-1))] == [[9, 18]]
    # An input of one run alone.
    assert [list(array) for _, array in engine.handle(run(1, feeds=packed((1, 0, 0, (2,)))))] == [[19, 21]]
    assert [list(array) for _, array in engine.handle(run(1))] == [[11, 22]]


def test_a_run_writes_in_place() -> None:
    engine = compiled()
    assert engine.handle(run(2, **VIEWS, bindInto=packed((0, 1, 0, (2,))))) == []
    assert held(engine, 1, 2) == [12, 24]
    engine.handle(run(2))
    assert held(engine, 1, 2) == [14, 28]


def test_copies_may_overlap_and_writes_stay_in_their_view() -> None:
    engine = compiled()
    engine.handle({"kind": "copy", "moves": packed((0, 0, 0, (2,)), (0, 0, 1, (2,)))})
    assert held(engine, 0, 3) == [9, 9, 1]
    engine.handle({"kind": "write", "view": packed((0, 0, 1, (1,))), "data": np.array([5], np.float32)})
    assert held(engine, 0, 3) == [9, 5, 1]
    with pytest.raises(ValueError, match="does not fit"):
        held(engine, 0, 4)


def test_a_worker_goes_on_from_anothers_state() -> None:
    engine = compiled()
    engine.handle(run(2, **VIEWS, bindInto=packed((0, 1, 0, (2,)))))
    engine.handle({"kind": "upload", "buffer": 2**41, "dtype": "float32", "data": np.zeros(1, np.float32)})
    other = Engine(1)
    other.adopt(engine.export(2**40))
    assert 2**41 not in other.buffers
    for one in (engine, other):
        one.handle(run(2))
        assert held(one, 1, 2) == [14, 28]
    # Their memory is their own.
    other.handle(run(2))
    assert held(engine, 1, 2) == [14, 28]


def test_freed_memory_is_gone() -> None:
    engine = compiled()
    engine.handle(run(1, **VIEWS))
    engine.handle({"kind": "free", "buffer": 0})
    with pytest.raises(KeyError, match="Buffer 0 was never allocated or has been freed"):
        held(engine, 0, 1)
    assert all(data.base is not None or data.size for data, _ in engine.sessions[0].bound.values())
    assert "x" not in engine.sessions[0].bound
    engine.handle({"kind": "release", "session": 0})
    with pytest.raises(KeyError, match="Session 0"):
        engine.handle(run(1))
