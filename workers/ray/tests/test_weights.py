"""Weights that are sent: whole or not at all."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heed_worker import weights

PARTS = {"a.safetensors": [b"first ", b"second"], "b.safetensors": [b"third"]}
FILES = [{"name": name, "size": len(b"".join(parts))} for name, parts in PARTS.items()]
WHOLE = b"".join(f"{name} {len(b''.join(parts))}\n".encode() + b"".join(parts) for name, parts in PARTS.items())
DIGEST = hashlib.sha256(WHOLE).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEED_CACHE", str(tmp_path))
    return tmp_path / "weights"


def ask(kind: str, **more: Any) -> Any:
    return weights.handle({"kind": kind, "digest": DIGEST, **more})


def has() -> bool:
    ((_, array),) = ask("weights")
    return bool(array[0])


def send(changed: bytes = b"") -> None:
    for name, parts in PARTS.items():
        offset = 0
        for part in parts:
            ask("piece", name=name, offset=offset, data=np.frombuffer(part + changed, np.uint8))
            offset += len(part + changed)


def test_they_are_there_when_all_of_them_are(cache: Path) -> None:
    assert not has()
    send()
    assert not has()
    ask("seal", files=FILES)
    assert has()
    assert {path.name: path.read_bytes() for path in (cache / DIGEST).iterdir()} == {name: b"".join(parts) for name, parts in PARTS.items()}
    # A second worker of the machine.
    send()
    ask("seal", files=FILES)
    assert [path.name for path in cache.iterdir()] == [DIGEST]


def test_other_bytes_are_refused(cache: Path) -> None:
    send(b"!")
    with pytest.raises(ValueError, match="arrived with the digest"):
        ask("seal", files=FILES)
    assert not has() and list(cache.iterdir()) == []


def test_a_piece_has_its_place(cache: Path) -> None:
    ask("piece", name="a.safetensors", offset=0, data=np.zeros(4, np.uint8))
    with pytest.raises(ValueError, match="has 4 bytes, and the next piece begins at 9"):
        ask("piece", name="a.safetensors", offset=9, data=np.zeros(4, np.uint8))
    for name in ("../a", "/etc/a", "..", ""):
        with pytest.raises(ValueError, match="no file's name"):
            ask("piece", name=name, offset=0, data=np.zeros(1, np.uint8))
    for digest in ("../x", "", "abc"):
        with pytest.raises(ValueError, match="no digest"):
            weights.handle({"kind": "weights", "digest": digest})
