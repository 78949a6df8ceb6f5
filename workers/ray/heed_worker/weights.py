"""Files of frozen weights that Heed sends to a machine, kept there by their content for later runs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from .frames import Array

#: The requests that are for this file.
KINDS = ("weights", "piece", "seal")



def home() -> Path:
    """Where a machine keeps them: `$HEED_CACHE`, else the platform's place for caches."""
    named = os.environ.get("HEED_CACHE")
    return Path(named) / "weights" if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "heed" / "weights"


def handle(request: dict[str, Any]) -> list[tuple[str, Array]]:
    """`weights`: whether the machine has them. `piece`: a part of a file. `seal`: all parts are here, and become visible at once."""
    if re.fullmatch(r"[\da-f]{64}", request["digest"]) is None:
        raise ValueError(f"{request['digest']!r} is no digest")
    folder = home() / request["digest"]
    # Several workers may receive on one machine: each in a folder of its own, and the first to finish stays.
    receiving = folder.with_name(f"{folder.name}~{os.getpid()}")
    kind = request["kind"]
    if kind == "weights":
        return [("uint8", np.array([folder.is_dir()], np.uint8))]
    if kind == "piece":
        receiving.mkdir(parents=True, exist_ok=True)
        with (receiving / plain(request["name"])).open("ab" if request["offset"] > 0 else "wb") as file:
            if file.tell() != request["offset"]:
                raise ValueError(f"{file.name} has {file.tell()} bytes, and the next piece begins at {request['offset']}")
            file.write(request["data"].tobytes())
        return []
    digest = hashlib.sha256()
    for about in request["files"]:
        digest.update(f"{about['name']} {about['size']}\n".encode())
        with (receiving / plain(about["name"])).open("rb") as file:
            while piece := file.read(1 << 22):
                digest.update(piece)
    if digest.hexdigest() != request["digest"]:
        shutil.rmtree(receiving)
        raise ValueError(f"the weights arrived with the digest {digest.hexdigest()}, not {request['digest']}")
    if folder.is_dir():
        shutil.rmtree(receiving)
    else:
        receiving.rename(folder)
    return []


def plain(name: str) -> str:
    """A file's name, which leads to no other folder."""
    if name != os.path.basename(name) or name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no file's name")
    return name
