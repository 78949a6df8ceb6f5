"""Numbers packed as F16 and Q8_0 by the gguf package and numpy, for what Heed writes. Output: packages/heed/test/fixtures/weights/encode.json"""
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants

OUT = Path("packages/heed/test/fixtures/weights/encode.json")


def main() -> None:
    random = np.random.default_rng(0)
    normal = random.standard_normal(96).astype(np.float32)
    # Halfway between two 16-bit floats, below the least normal one, nothing, and far apart in one block.
    edges = np.array([0, -0.0, 1 + 2**-11, 1 + 3 * 2**-11, 2**-14, 2**-15, 2**-24, 2**-25, 3 * 2**-26, 65504, -65504, 1e-8] + [1, -1] * 10, np.float32)
    halves = np.array([127, 0.5, -0.5, 1.5, -1.5, 2.5] + [3.5, -63.5] * 13, np.float32)
    x = np.concatenate([normal, edges, halves, np.zeros(32, np.float32), normal[:32] * np.float32(1e-4)]).astype(np.float32)
    q8 = quants.quantize(x.reshape(-1, 32), GGMLQuantizationType.Q8_0)
    OUT.write_text(json.dumps({
        "values": x.tobytes().hex(), "F16": x.astype(np.float16).tobytes().hex(), "Q8_0": q8.tobytes().hex(),
    }, indent=1) + "\n")


if __name__ == "__main__":
    main()
