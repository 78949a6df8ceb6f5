"""LoRA steps of PEFT on a base in 4 or 8 bits, on the CPU: the peer of benchmarks/reach.js, on the same work.

usage: codes.py MODEL BASE [--rows N] [--tokens N] [--steps N] [--checkpointing none|full]

MODEL: a folder. BASE: f32; bf16; nf4 (bitsandbytes, QLoRA's type); int4 or int8 (optimum-quanto). LoRA r = 16 on all linears, AdamW, as
PEFT's guide to quantised training writes it. Needs requirements.txt, bitsandbytes and optimum-quanto. Prints one line of JSON.
"""

import argparse
import json
import resource
import time

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, QuantoConfig

options = argparse.ArgumentParser()
options.add_argument("model")
options.add_argument("base", choices=["f32", "bf16", "nf4", "int4", "int8"])
options.add_argument("--rows", type=int, default=1)
options.add_argument("--tokens", type=int, default=256)
options.add_argument("--steps", type=int, default=3)
options.add_argument("--checkpointing", choices=["none", "full"], default="full")
given = options.parse_args()

torch.manual_seed(0)
started = time.perf_counter()
dtype = torch.bfloat16 if given.base == "bf16" else torch.float32
quantised = {
    "nf4": lambda: BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32),
    "int4": lambda: QuantoConfig(weights="int4"), "int8": lambda: QuantoConfig(weights="int8"),
}.get(given.base)
model = AutoModelForCausalLM.from_pretrained(
    given.model, dtype=dtype, attn_implementation="sdpa", **({"quantization_config": quantised()} if quantised else {}), device_map="cpu",
)
if quantised:
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=given.checkpointing == "full")
elif given.checkpointing == "full":
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"))
model.train()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=2e-4, weight_decay=0.0)
ids = torch.randint(1000, model.config.vocab_size - 1000, (given.rows, given.tokens))
opened = time.perf_counter() - started

seconds, losses = [], []
for _ in range(given.steps):
    begun = time.perf_counter()
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    seconds.append(time.perf_counter() - begun)
print(json.dumps({
    "model": given.model.rstrip("/").split("/")[-1], "base": given.base, "rows": given.rows, "tokens": given.tokens,
    "checkpointing": given.checkpointing, "trained": sum(p.numel() for p in trained), "openSeconds": opened, "seconds": seconds,
    "losses": losses, "maxRssGb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
}))
