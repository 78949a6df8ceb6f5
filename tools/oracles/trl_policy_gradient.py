"""What TRL's GRPO and RLOO trainers make of given log-probabilities: packages/heed/test/fixtures/trl/grpo.json and rloo.json.

    python tools/oracles/trl_policy_gradient.py

Needs what requirements.txt pins (TRL 1.16.0). The trainers' own `_compute_loss` is run, on an object that has what it reads of the trainer
and no model: in place of the model's log-probabilities it is given ours, in 64 bits, and the derivative by each of them is read off. Two
batches: `two`, answers of three and two tokens, and `four`, of four, one, three and two. Advantages are ours; how TRL makes them of rewards
stands in the middle of its generation and is not run here.
"""
import json
import os
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1")

import torch
import transformers
import trl
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.rloo_trainer import RLOOTrainer

OUT = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures/trl"

BATCHES = {
    "two": {
        "maxTokens": 4, "advantages": [1.0, -1.0],
        "logp": [[-1.0, -0.7, -1.3], [-0.9, -1.5]],
        "old": [[-1.0, -1.0, -1.0], [-1.0, -1.0]],
        "reference": [[-0.9, -0.7, -1.0], [-1.0, -2.1]],
    },
    "four": {
        "maxTokens": 5, "advantages": [1.5, -0.5, 0.25, -1.25],
        "logp": [[-0.4, -2.0, -1.1, -0.05], [-3.0], [-0.6, -0.6, -2.2], [-1.7, -0.3]],
        "old": [[-0.7, -2.1, -0.9, -0.06], [-2.5], [-0.6, -0.9, -2.15], [-1.4, -0.8]],
        "reference": [[-0.5, -1.9, -1.6, -0.1], [-2.0], [-0.6, -1.4, -2.0], [-1.5, -0.2]],
    },
}


def padded(rows):
    longest = max(map(len, rows))
    return torch.tensor([row + [0.0] * (longest - len(row)) for row in rows], dtype=torch.float64)


def stub(cls, logp, **more):
    """An object of the trainer's class with what `_compute_loss` reads of it, and our log-probabilities in place of a model's."""
    self = object.__new__(cls)
    entropies = torch.zeros_like(logp)
    vars(self).update(
        _get_per_token_logps_and_entropies=lambda *_, **__: (logp, entropies, None),
        accelerator=SimpleNamespace(num_processes=1, gather=lambda x: x, reduce=lambda x, reduction: x),
        model=SimpleNamespace(training=True), _metrics={"train": defaultdict(list)}, aux_loss_enabled=False, epsilon_low=0.2, **more,
    )
    return self


def run(cls, name, batch, options, **more):
    given = BATCHES[batch]
    logp = padded(given["logp"]).requires_grad_()
    mask = padded([[1.0] * len(row) for row in given["logp"]])
    old = padded(given["old"])
    rows = len(given["logp"])
    inputs = {
        "prompt_ids": torch.zeros(rows, 1, dtype=torch.long), "prompt_mask": torch.ones(rows, 1), "completion_mask": mask,
        "completion_ids": torch.zeros_like(mask, dtype=torch.long), "advantages": torch.tensor(given["advantages"], dtype=torch.float64),
        "old_per_token_logps": old, "old_logps": (old * mask).sum(1), "ref_per_token_logps": padded(given["reference"]),
        "num_items_in_batch": mask.sum(),
    }
    self = stub(cls, logp, **more, **{key: value for key, value in options.items() if key not in more})
    loss = self._compute_loss(self.model, inputs)
    loss.backward()
    number = lambda x: float(f"{float(x):.9g}")
    return {
        "name": name, "trainer": cls.__name__, "options": options, "batch": batch, "loss": number(loss.detach()),
        "dLoss": [[number(d) for d in row[: len(own)]] for row, own in zip(logp.grad, given["logp"])],
        "metrics": {key: number(values[0]) for key, values in self._metrics["train"].items() if key != "entropy"},
    }


def grpo():
    args = SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1)
    for batch, given in BATCHES.items():
        for kind in ("grpo", "dr_grpo", "dapo", "bnpo"):
            for more in ({}, {"beta": 0.04}, {"epsilon_high": 0.28}):
                options = {"loss_type": kind, "beta": 0.0, "epsilon_high": 0.2, **more}
                yield run(
                    GRPOTrainer, " ".join([batch, kind, *(f"{key} {value}" for key, value in more.items())]), batch, options, args=args,
                    top_entropy_quantile=1.0, off_policy_mask_threshold=None, importance_sampling_level="token", use_vllm=False,
                    current_gradient_accumulation_steps=1, max_completion_length=given["maxTokens"], _entropy_bonus_enabled=False,
                )


def rloo():
    for batch in BATCHES:
        yield run(RLOOTrainer, batch, batch, {"epsilon_high": 0.2})


def write(name, entries):
    head = {"trl": trl.__version__, "transformers": transformers.__version__, "torch": torch.__version__.split("+")[0], "batches": BATCHES}
    lines = ",\n  ".join(json.dumps(entry) for entry in entries)
    (OUT / f"{name}.json").write_text(f'{json.dumps(head)[:-1]}, "entries": [\n  {lines}\n]}}\n')


def main():
    assert trl.__version__.startswith("1.16."), f"TRL 1.16 is meant, not {trl.__version__}: pip install -r requirements.txt"
    write("grpo", grpo())
    write("rloo", rloo())


if __name__ == "__main__":
    main()
