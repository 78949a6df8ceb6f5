"""One measurement of a peer in a process of its own: the counterpart of benchmarks/ours.js, driven line by line by benchmarks/bench.js.

usage: peer.py FILE   (JSON). Prints {"ready": ...}; for each line on stdin does the work once and prints {"seconds": ...}; at the end of
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


def lora_config(options):
    from peft import LoraConfig

    return LoraConfig(r=options["rank"], lora_alpha=options["alpha"], lora_dropout=0.0, target_modules=options["targets"], task_type="CAUSAL_LM")


def adapted(spec):
    """The model with LoRA, what of it is trained, and its optimizer."""
    from peft import get_peft_model

    model = get_peft_model(load(spec), lora_config(spec["lora"]))
    model.train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, trainable, torch.optim.AdamW(trainable, lr=spec["lora"]["learningRate"], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)


@torch.no_grad()
def common_parameters(model):
    """An adapter that both sides can make and that is not the identity; see `commonParameters` in ours.js."""
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        unit = ((torch.arange(1, p.numel() + 1) * 2654435761) % 2**32).double() / 2**31 - 1
        p.copy_((unit * (p.shape[1] ** -0.5 if ".lora_A." in name else 0.05)).view(p.shape))


def lora(spec):
    """A LoRA step as a PEFT user writes it: labels of -100 on the prompt, no gradient checkpointing, PEFT's default dtypes (LoRA in f32)."""
    options = spec["lora"]
    model, trainable, optimizer = adapted(spec)
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


def dpo(spec):
    """A step of TRL's own DPOTrainer, the reference computed ahead by it: its collator, its loss and metrics, its optimizer, as in its `train`."""
    import datasets
    import tempfile
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    class Ready(DPOTrainer):
        """Takes tokens, where TRL would make them of words."""

        def _prepare_dataset(self, dataset, *_):
            return dataset

    options = spec["lora"]
    rows = datasets.Dataset.from_list([{f"{name}_ids": ids for name, ids in pair.items()} for pair in spec["pairs"]])
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Ready(
            model=load(spec),
            args=DPOConfig(
                output_dir=scratch, report_to="none", use_cpu=True, bf16=spec["dtype"] == "bf16", gradient_checkpointing=spec.get("checkpointing", False),
                per_device_train_batch_size=len(rows), max_length=None, beta=spec["beta"], precompute_ref_log_probs=True,
                learning_rate=options["learningRate"], weight_decay=0.0, max_grad_norm=options["clip"],
            ),
            train_dataset=rows, processing_class=AutoTokenizer.from_pretrained(spec["model"]), peft_config=lora_config(options),
        )
    common_parameters(trainer.model)
    batch = [trainer.train_dataset[i] for i in range(len(rows))]
    # What `train` does around its steps.
    if spec.get("checkpointing"):
        trainer.model.activation_checkpointing_enable()
    trainer.create_optimizer()
    model, trainer.optimizer = trainer.accelerator.prepare(trainer.model, trainer.optimizer)
    trainer.current_gradient_accumulation_steps = 1

    def run():
        loss = trainer.training_step(model, trainer.data_collator(batch))
        norm = trainer.accelerator.clip_grad_norm_(model.parameters(), trainer.args.max_grad_norm)
        trainer.optimizer.step()
        model.zero_grad()
        metrics = trainer._metrics["train"]
        return {"loss": loss.item(), "gradientNorm": norm.item(), "logps": [metrics[f"logps/{name}"][-1] for name in ("chosen", "rejected")]}

    return run


def d2o(spec):
    """D2O's loss over PEFT as one would write it: a row for each response, logits only where responses are predicted, the reference ahead."""
    options = spec["lora"]
    model, trainable, optimizer = adapted(spec)
    common_parameters(model)
    responses = [spec["negative"], *spec["positives"]]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(spec["prompt"] + response) for response in responses], batch_first=True)
    lengths = torch.tensor([len(spec["prompt"]) + len(response) for response in responses])
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    width = ids.shape[1] - len(spec["prompt"])
    targets, real = ids[:, -width:], mask[:, -width:]

    def log_probs():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=width + 1).logits[:, :-1]
        return (-torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets) * real).sum(-1)

    with torch.no_grad(), model.disable_adapter():
        reference = log_probs()

    def run():
        logps = log_probs()
        ratio = logps - reference
        loss = -torch.nn.functional.logsigmoid(spec["beta"] * ratio[1:].mean() - spec["alpha"] * ratio[0])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trainable, options["clip"])
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss.item(), "gradientNorm": norm.item(), "logps": [logps[1:].mean().item(), logps[0].item()]}

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


def label(spec):
    """Two-way choices: log p of each answer's first token. With `reuse`, the common beginning is computed once and its cache copied for each batch, as transformers' guide to caches does it."""
    import copy

    from transformers import DynamicCache

    model = load(spec)
    model.eval()
    answers = torch.tensor([answer[0] for answer in spec["answers"]])
    batches = [torch.tensor(spec["rests"][i : i + spec["batch"]]) for i in range(0, len(spec["rests"]), spec["batch"])]
    runs = 0

    def chosen(logits):
        return torch.log_softmax(logits[:, -1].float(), -1)[:, answers].tolist()

    def run():
        nonlocal runs
        begin = torch.tensor([spec["preambles"][runs % len(spec["preambles"])]])
        runs += 1
        choices = []
        with torch.inference_mode():
            if spec.get("reuse"):
                held = DynamicCache(config=model.config)
                model(input_ids=begin, past_key_values=held, use_cache=True, logits_to_keep=1)
            for rests in batches:
                if spec.get("reuse"):
                    cache = copy.deepcopy(held)
                    cache.batch_repeat_interleave(len(rests))
                    choices += chosen(model(input_ids=rests, past_key_values=cache, use_cache=True, logits_to_keep=1).logits)
                else:
                    choices += chosen(model(input_ids=torch.cat([begin.expand(len(rests), -1), rests], 1), use_cache=False, logits_to_keep=1).logits)
        return {"choices": choices}

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
    spec = json.load(open(sys.argv[1]))
    torch.set_num_threads(spec["threads"])
    run = {"lora": lora, "dpo": dpo, "d2o": d2o, "generate": generate, "label": label, "gemm": gemm}[spec["work"]](spec)
    import transformers, peft, numpy

    from importlib.metadata import version

    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "numpy": numpy.__version__}
    if spec["work"] == "dpo":
        versions["trl"] = version("trl")
    say({"ready": True, "versions": versions, "threads": torch.get_num_threads()})
    for _ in sys.stdin:
        begin = time.perf_counter()
        result = run()
        say({"seconds": time.perf_counter() - begin, **result})
    say({"peakRss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


main()
