"""Reward models and classifiers: adapters with a head, between Heed and PEFT, both ways.

    npm run build && python tools/oracles/reward_head.py

Needs node, torch, transformers, peft and the fixtures of model_fixtures.py (llama3/). Writes packages/heed/test/fixtures/model/:
  peft/reward, peft/classes   SEQ_CLS adapters that PEFT saved, with heads of 1 and of 3 numbers
  rewards.json                for each, sequences and what AutoModelForSequenceClassification under PEFT gives for them
  written-reward/             an adapter with a head that Heed saved: PEFT must load it without a warning and give what Heed gives, to 1e-4
The tests check that Heed reads the first two to 1e-4 and still writes the bytes of the third.
"""
import json
import shutil
import subprocess
import sys
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForSequenceClassification

from model_fixtures import OUT, rounded
from peft_roundtrip import ROOT

# The same plan and numbers as in packages/heed/test/model/reward-scorer.test.ts.
HEED = """
import { openCheckpoint } from '@DIST/model/checkpoint/open.js';
import { architectureOf } from '@DIST/model/architecture.js';
import { planAdapter } from '@DIST/model/adapter.js';
import { saveAdapter } from '@DIST/model/peft.js';
import { createRewardScorer } from '@DIST/model/reward-scorer.js';
import { startEngine } from '@TENSOR/index.js';
const { folder, out, rows } = JSON.parse(process.argv[1]);
const checkpoint = await openCheckpoint(folder);
const plan = planAdapter(checkpoint.tensors.values(), { rank: 2, alpha: 3, targets: ['v_proj', 'down_proj'], dropout: 0, rslora: false }, { size: 1 });
const parameters = Float32Array.from({ length: plan.size }, (_, i) => (((i * 7919) % 101) - 50) / 64);
await saveAdapter(out, { plan, parameters, checkpoint, modelId: 'llama3' });
const engine = await startEngine();
const scorer = await createRewardScorer(engine, { checkpoint, architecture: architectureOf(checkpoint) }, { plan, parameters });
console.log(JSON.stringify(await scorer.scores(rows)));
await engine.close();
"""
ADAPTERS = {
    "reward": (1, dict(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"])),
    "classes": (3, dict(r=1, lora_alpha=2, target_modules="all-linear")),
}


def base(labels):
    return AutoModelForSequenceClassification.from_pretrained(OUT / "llama3", num_labels=labels, pad_token_id=0, dtype=torch.float32)


def scores(model, rows):
    with torch.no_grad():
        return [model(torch.tensor([row["prompt"] + row["response"]])).logits[0].tolist() for row in rows]


def main():
    rows = [{key: row[key] for key in ("prompt", "response")} for row in json.loads((OUT / "logprobs.json").read_text())["llama3"]]
    assert all(0 not in row["prompt"] + row["response"] for row in rows)  # the padding token: the head is read before the first of a tail
    fixture = {}
    for seed, (name, (labels, options)) in enumerate(ADAPTERS.items()):
        torch.manual_seed(seed)
        model = get_peft_model(base(labels), LoraConfig(task_type="SEQ_CLS", **options)).eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                if p.requires_grad:
                    p.normal_(std=0.3)
        shutil.rmtree(OUT / "peft" / name, ignore_errors=True)
        model.save_pretrained(OUT / "peft" / name)
        (OUT / "peft" / name / "README.md").unlink()
        file = OUT / "peft" / name / "adapter_config.json"
        config = json.loads(file.read_text()) | {"base_model_name_or_path": "llama3"}
        config |= {key: sorted(set(config[key])) for key in ("target_modules", "modules_to_save")}  # PEFT's order differs from run to run
        file.write_text(json.dumps(config, indent=2) + "\n")
        fixture[name] = {"size": labels, "sequences": [{**row, "scores": rounded(s)} for row, s in zip(rows, scores(model, rows))]}
    (OUT / "rewards.json").write_text(json.dumps(fixture) + "\n")

    written = OUT / "written-reward"
    code = HEED.replace("@DIST", str(ROOT / "packages/heed/dist")).replace("@TENSOR", str(ROOT / "packages/tensor/dist"))
    argument = json.dumps({"folder": str(OUT / "llama3"), "out": str(written), "rows": rows})
    ours = json.loads(subprocess.run(["node", "--input-type=module", "-e", code, argument], check=True, capture_output=True, text=True).stdout)
    plain = base(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # PEFT warns of keys it does not know and of weights it misses
        model = PeftModel.from_pretrained(plain, written).eval()
    theirs = scores(model, rows)
    worst = max(abs(a - b) for r, s in zip(ours, theirs) for a, b in zip(r, s))
    spread = max(max(s) for s in theirs) - min(min(s) for s in theirs)
    print(f"largest difference of a reward, Heed and PEFT: {worst:.2e} (the rewards span {spread:.2f})")
    sys.exit(0 if worst < 1e-4 < spread else 1)


if __name__ == "__main__":
    main()
