"""TRL's GRPOTrainer on the work of benchmarks/policy-gradient.js: usage: policy_gradient.py SPEC (JSON). Prints a line of JSON."""

import json
import resource
import statistics
import sys
import time

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

spec = json.loads(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(spec["model"])
model = AutoModelForCausalLM.from_pretrained(spec["model"], dtype=torch.float32, attn_implementation="sdpa")
# The prompts are ids on our side; TRL takes texts, so the decoded ids are given. Their tokens are about as many.
rows = [{"prompt": tokenizer.decode(ids)} for ids in spec["rows"]]
PARTS = ("generation", "reward", "scoring")
steps = []
now = dict.fromkeys(PARTS, 0.0)


def timed(part, work):
    started = time.perf_counter()
    result = work()
    now[part] += time.perf_counter() - started
    return result


def reward(completion_ids, **_):
    return timed("reward", lambda: [sum(i % 2 == 0 for i in ids) / len(ids) for ids in completion_ids])


class Clock(TrainerCallback):
    def on_step_begin(self, *_, **__):
        now.update(dict.fromkeys(PARTS, 0.0))
        self.started = time.perf_counter()

    def on_step_end(self, *_, **__):
        step = time.perf_counter() - self.started
        steps.append({**now, "training": step - sum(now.values()), "step": step})


class Timed(GRPOTrainer):
    def _generate(self, *args, **kwargs):
        return timed("generation", lambda: super(Timed, self)._generate(*args, **kwargs))

    def _get_per_token_logps_and_entropies(self, *args, **kwargs):
        call = super()._get_per_token_logps_and_entropies
        # With gradients it is part of training; without, the reference is scored.
        return call(*args, **kwargs) if torch.is_grad_enabled() else timed("scoring", lambda: call(*args, **kwargs))


completions = spec["prompts"] * spec["samples"]
config = GRPOConfig(
    output_dir="/tmp/heed-bench-grpo", use_cpu=True, bf16=False, fp16=False, report_to="none", save_strategy="no", logging_steps=1,
    per_device_train_batch_size=completions, num_generations=spec["samples"], max_completion_length=spec["tokens"], beta=spec["beta"],
    loss_type="grpo", learning_rate=spec["learningRate"], max_steps=spec["steps"] + 1, temperature=1.0, top_p=1.0, top_k=0,
    gradient_checkpointing=False, shuffle_dataset=False, disable_tqdm=True,
    generation_kwargs={"min_new_tokens": spec["tokens"], "max_new_tokens": spec["tokens"]},
)
lora = LoraConfig(
    r=spec["rank"], lora_alpha=spec["alpha"], lora_dropout=0.0, task_type="CAUSAL_LM",
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
)
trainer = Timed(
    model=model, reward_funcs=reward, args=config, train_dataset=Dataset.from_list(rows * 50), processing_class=tokenizer,
    peft_config=lora, callbacks=[Clock()],
)
trainer.train()
# The first step is slower than the others.
medians = {part: round(statistics.median(step[part] for step in steps[1:]), 3) for part in steps[0]}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({**medians, "peakGb": round(peak / 1e9, 2)}))
