"""Writes the small Parquet files that the data reader is tested on (needs pyarrow).

    python tools/oracles/data_parquet.py packages/heed/test/fixtures/data
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

message = pa.struct([("role", pa.string()), ("content", pa.string())])
preferences = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "prompt": ["Name a prime.", "Wie heißt du?", "Say 日本語 🙂"],
        "chosen": pa.array([[{"role": "assistant", "content": text}] for text in ("Seven.", "Heed.", "日本語 🙂")], pa.list_(message)),
        "rejected": pa.array([[{"role": "assistant", "content": text}] for text in ("Eight.", "Nein.", "no")], pa.list_(message)),
        "margin": pa.array([1.5, None, 0.25], pa.float64()),
    }
)
for compression in ("snappy", "zstd", "gzip"):
    pq.write_table(preferences, folder / f"preferences.{compression}.parquet", compression=compression)

# Several row groups and a dictionary column, as `datasets` writes them.
labelled = pa.table(
    {
        "prompt": [f"Question {i % 4}" for i in range(10)],
        "completion": [f"Answer {i}" for i in range(10)],
        "label": [i % 3 == 0 for i in range(10)],
    }
)
pq.write_table(labelled, folder / "labelled.parquet", compression="snappy", row_group_size=4)
