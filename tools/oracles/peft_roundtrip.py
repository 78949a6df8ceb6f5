"""An adapter that Heed writes, loaded by PEFT: the same log-probabilities.

    npm run build && python tools/oracles/peft_roundtrip.py

Needs node, torch, transformers, peft and the fixtures of model_fixtures.py (whose adapters, made by PEFT, are the other way).
Heed writes packages/heed/test/fixtures/model/written/ for llama3/ and scores it; PEFT loads it and must agree to 1e-4 (32-bit rounding: PEFT itself differs by 2e-5 from PEFT in 64 bits here). The
folder is committed: the tests check that Heed still writes these bytes.
"""
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from model_fixtures import OUT, logprobs

ROOT = Path(__file__).resolve().parents[2]
# The same plan and numbers as in packages/heed/test/model/peft.test.ts.
HEED = """
import { openCheckpoint } from '@DIST/model/checkpoint/open.js';
import { architectureOf } from '@DIST/model/architecture.js';
import { planAdapter } from '@DIST/model/adapter.js';
import { saveAdapter } from '@DIST/model/peft.js';
import { layOut } from '@DIST/model/layout.js';
import { feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from '@DIST/model/scoring.js';
import { adaptedWeights } from '@DIST/model/weights.js';
import { lower, startEngine } from '@TENSOR/index.js';
const { folder, out, rows } = JSON.parse(process.argv[1]);
const checkpoint = await openCheckpoint(folder), architecture = architectureOf(checkpoint);
const plan = planAdapter(checkpoint.tensors.values(), { rank: 3, alpha: 5, targets: ['k_proj', 'up_proj'], dropout: 0.05, rslora: true });
const parameters = Float32Array.from({ length: plan.size }, (_, i) => (((i * 7919) % 101) - 50) / 64);
await saveAdapter(out, { plan, parameters, checkpoint, modelId: 'llama3' });
const engine = await startEngine();
const program = lower({ logp: traceLogProbs(architecture, adaptedWeights(checkpoint, plan, { dropout: false }), 'none') }, { folder: checkpoint.folder });
const layout = layOut(rows), session = await engine.compile(program), fixed = {};
for (const { name, a, b } of plan.modules.values()) for (const [letter, { offset, shape }] of [['a', a], ['b', b]])
  fixed[`${letter}:${name}`] = { data: parameters.slice(offset, offset + shape[0] * shape[1]), shape };
const { logp } = await session.run(feedsOf(program, { ...scoringFeeds(layout, architecture, ropeFeed(architecture)), ...fixed }));
console.log(JSON.stringify(layout.labelOf.map((at) => Array.from(at, (i) => logp.data[i]))));
await engine.close();
"""


def main():
    rows = json.loads((OUT / "logprobs.json").read_text())["llama3"]
    written = OUT / "written"
    code = HEED.replace("@DIST", str(ROOT / "packages/heed/dist")).replace("@TENSOR", str(ROOT / "packages/tensor/dist"))
    argument = json.dumps({"folder": str(OUT / "llama3"), "out": str(written), "rows": rows})
    ours = json.loads(subprocess.run(["node", "--input-type=module", "-e", code, argument], check=True, capture_output=True, text=True).stdout)
    base = AutoModelForCausalLM.from_pretrained(OUT / "llama3", dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # PEFT warns of keys it does not know and of weights it misses
        model = PeftModel.from_pretrained(base, written).eval()
    assert not model.training
    theirs = [logprobs(model, row).tolist() for row in rows]
    worst = max(abs(a - b) for r, s in zip(ours, theirs) for a, b in zip(r, s))
    moved = max(abs(a - b) for r, s in zip(rows, theirs) for a, b in zip(r["logprobs"], s))
    print(f"largest difference of a log-probability, Heed and PEFT: {worst:.2e} (the adapter moves them by up to {moved:.2f})")
    with tempfile.TemporaryDirectory() as folder:  # PEFT keeps what we wrote
        model.save_pretrained(folder)
        theirs, ours = (json.loads((Path(p) / "adapter_config.json").read_text()) for p in (folder, written))
        for key, value in ours.items():
            same = sorted(theirs[key]) == sorted(value) if key == "target_modules" else theirs[key] == value
            assert same, (key, value, theirs[key])
    sys.exit(0 if worst < 1e-4 < moved else 1)


if __name__ == "__main__":
    main()
