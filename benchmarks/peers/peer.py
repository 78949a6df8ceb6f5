"""One measurement of a peer in a process of its own: the counterpart of benchmarks/ours.js, driven line by line by benchmarks/bench.js.

usage: peer.py SPEC   (JSON). Prints {"ready": ...}; for each line on stdin does the work once and prints {"seconds": ...}; at the end of
stdin prints {"peakRss": ...}.
"""

import json
import platform
import resource
import sys
import time

import torch

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def load(spec):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(spec["model"], dtype=DTYPES[spec["dtype"]], attn_implementation="sdpa")


def lora(spec):
    """A LoRA step as a PEFT user writes it: labels of -100 on the prompt, no gradient checkpointing, PEFT's default dtypes (LoRA in f32)."""
    from peft import LoraConfig, get_peft_model

    options = spec["lora"]
    config = LoraConfig(r=options["rank"], lora_alpha=options["alpha"], lora_dropout=0.0, target_modules=options["targets"], task_type="CAUSAL_LM")
    model = get_peft_model(load(spec), config)
    model.train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=options["learningRate"], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    ids = torch.tensor([row["prompt"] + row["response"] for row in spec["rows"]])
    supervised = len(spec["rows"][0]["response"])
    labels = ids.clone()
    labels[:, :-supervised] = -100

    def loss_of():
        if not spec.get("trimmedHead"):
            return model(input_ids=ids, labels=labels, use_cache=False).loss
        # Logits only where the loss reads them: faster, but not what Trainer or TRL's SFTTrainer do.
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=supervised + 1).logits[:, :-1].float()
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, -supervised:].flatten())

    def run():
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, options["clip"])
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss.item()}

    return run


def generate(spec):
    model = load(spec)
    model.eval()
    ids = torch.tensor(spec["prompts"])
    new = spec["newTokens"]

    def run():
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=new, max_new_tokens=new, pad_token_id=model.config.eos_token_id
            )
        made = out[:, ids.shape[1] :]
        if made.shape[1] != new:
            raise RuntimeError(f"generate made {made.shape[1]} tokens, not {new}")
        return {"ids": made.tolist()}

    return run


def gemm(spec):
    pairs = [(torch.rand(m, k, dtype=DTYPES[spec["dtype"]]), torch.rand(k, n, dtype=DTYPES[spec["dtype"]])) for m, k, n in spec["shapes"]]

    def run():
        speeds = []
        for (a, b), (m, k, n) in zip(pairs, spec["shapes"]):
            begin, done = time.perf_counter(), 0
            while done == 0 or time.perf_counter() - begin < spec["seconds"]:
                torch.matmul(a, b)
                done += 1
            speeds.append(2 * m * k * n * done / (time.perf_counter() - begin) / 1e9)
        return {"gflops": speeds}

    return run


def say(message):
    print(json.dumps(message), flush=True)


def main():
    spec = json.loads(sys.argv[1])
    torch.set_num_threads(spec["threads"])
    run = {"lora": lora, "generate": generate, "gemm": gemm}[spec["work"]](spec)
    import transformers, peft, numpy

    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "numpy": numpy.__version__}
    say({"ready": True, "versions": versions, "threads": torch.get_num_threads()})
    for _ in sys.stdin:
        begin = time.perf_counter()
        result = run()
        say({"seconds": time.perf_counter() - begin, **result})
    say({"peakRss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


main()
