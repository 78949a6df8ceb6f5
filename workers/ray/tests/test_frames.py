"""Frames: what is written is read, and is what Heed writes."""

import asyncio
import struct

import numpy as np
import pytest

from heed_worker.frames import decode, encode, read_frame


def whole(parts: list[bytes | memoryview]) -> bytes:
    return b"".join(bytes(part) for part in parts)


def read(data: bytes) -> list[dict[str, object] | None]:
    async def all_frames() -> list[dict[str, object] | None]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        frames = []
        while (frame := await read_frame(reader)) is not None:
            frames.append(frame)
        return frames

    return asyncio.run(all_frames())


def test_the_form_is_that_of_the_other_side() -> None:
    data = whole(encode({"id": 7}, [("float32", np.array([1, -2], np.float32)), ("int64", np.array([5]))]))
    head, body = struct.unpack_from("<IQ", data)
    assert data[12 : 12 + head] == b'{"id":7,"arrays":[["float32",2],["int64",1]]}'
    assert body == 128 and len(data) == 12 + head + body
    assert struct.unpack_from("<ff", data, 12 + head) == (1, -2)
    assert struct.unpack_from("<q", data, 12 + head + 64) == (5,)


def test_arrays_stand_where_the_head_refers_to_them() -> None:
    head = b'{"a":{"array":1},"host":[{"data":{"array":0},"shape":[2]}],"plan":[[1,2],[3]],"arrays":[["uint8",2],["float32",1]]}'
    body = bytes([7, 8]) + bytes(62) + struct.pack("<f", 0.5) + bytes(60)
    frame = decode(head, body)
    assert frame["a"].tolist() == [0.5]
    assert frame["host"][0]["data"].tolist() == [7, 8]
    assert frame["plan"] == [[1, 2], [3]]


def test_frames_follow_each_other() -> None:
    data = whole(encode({"id": 1}, [("float32", np.zeros(0, np.float32))])) + whole(encode({"id": 2}, []))
    assert [frame["id"] for frame in read(data)] == [1, 2]


def test_a_frame_that_is_cut_off_is_an_error() -> None:
    data = whole(encode({"id": 1}, [("int32", np.arange(9, dtype=np.int32))]))
    for length in (5, 20, len(data) - 1):
        with pytest.raises(asyncio.IncompleteReadError):
            read(data[:length])
    with pytest.raises(ValueError, match="ends in array 0"):
        decode(b'{"arrays":[["int32",9]]}', b"\0" * 8)
