"""Frames between Heed and the gateway: a head in JSON, then the bytes of its arrays.

u32 bytes of the head, u64 bytes of the body, both little-endian; the head; the body. `head["arrays"]` lists element type and length of
each array. Each begins at a multiple of 64 bytes of the body. Elsewhere in the head `{"array": i}` stands for array i. Nothing is ever
unpickled.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import numpy as np

PREFIX = struct.Struct("<IQ")
ALIGNED = 64

#: What holds each element type in numpy. 16-bit floats that numpy lacks travel as their bits.
DTYPES: dict[str, type[np.generic]] = {
    "float32": np.float32, "float64": np.float64, "int32": np.int32, "int64": np.int64, "uint8": np.uint8, "int8": np.int8,
    "bool": np.bool_, "float16": np.float16, "bfloat16": np.uint16, "uint4": np.uint8, "int4": np.uint8,
}

Array = np.ndarray[Any, Any]


def aligned(size: int) -> int:
    """The next multiple of 64."""
    return -(-size // ALIGNED) * ALIGNED


def encode(head: dict[str, Any], arrays: list[tuple[str, Array]]) -> list[bytes | memoryview]:
    """The parts of a frame, to be written one after the other."""
    listed = [[dtype, int(array.size)] for dtype, array in arrays]
    text = json.dumps({**head, "arrays": listed}, separators=(",", ":")).encode()
    body: list[bytes | memoryview] = []
    for _, array in arrays:
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        body.append(data)
        body.append(b"\0" * (aligned(data.nbytes) - data.nbytes))
    return [PREFIX.pack(len(text), sum(memoryview(part).nbytes for part in body)), text, *body]


def decode(text: bytes, body: bytes | bytearray) -> dict[str, Any]:
    """The head of a frame, its arrays in place. They are views of the body."""
    head: dict[str, Any] = json.loads(text)
    arrays: list[Array] = []
    at = 0
    for name, length in head.pop("arrays"):
        dtype = np.dtype(DTYPES[name])
        if at + length * dtype.itemsize > len(body):
            raise ValueError(f"the frame's body ends in array {len(arrays)}")
        arrays.append(np.frombuffer(body, dtype, length, at))
        at += aligned(length * dtype.itemsize)
    return {key: _placed(value, arrays) for key, value in head.items()}


def _placed(value: Any, arrays: list[Array]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"array"}:
            return arrays[value["array"]]
        return {key: _placed(inner, arrays) for key, inner in value.items()}
    # Lists of numbers are long, and hold no arrays.
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_placed(inner, arrays) for inner in value]
    return value


async def read_frame(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next frame; None where the connection ended between two."""
    try:
        head, body = PREFIX.unpack(await reader.readexactly(PREFIX.size))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    return decode(await reader.readexactly(head), await reader.readexactly(body))
