"""Expected results of generation, from transformers: greedy continuations of the default model, and what its logits warpers keep.

    python tools/oracles/generate_fixtures.py MODEL_FOLDER packages/heed/test/fixtures/generate

MODEL_FOLDER is a checkpoint in Hugging Face form: the default model's lies in Heed's cache after its first use.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

PROMPTS = [
    "What is the capital of France, and what is it known for?",
    "Hi!",
    "Write a short poem about the sea.",
    "List three prime numbers and say in one sentence why each of them is prime, then add them up and explain the result step by step.",
]
TOKENS = 40


@torch.no_grad()
def greedy(folder: str) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    cases = []
    for prompt, penalty in [(p, 1.0) for p in PROMPTS] + [(PROMPTS[2], 1.3)]:
        text = f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False, repetition_penalty=penalty,
            eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"), pad_token_id=0,
        )
        new = out[0, ids.shape[1] :]
        logits = model(out).logits[0, ids.shape[1] - 1 : -1]
        logp = torch.log_softmax(logits.double(), -1).gather(1, new[:, None])[:, 0]
        # How near the second-best token came: below about 1e-3 another float32 implementation may choose it.
        two = logits.topk(2).values
        cases.append({
            "text": text, "penalty": penalty, "prompt": ids[0].tolist(), "ids": new.tolist(),
            "logprobs": [round(x, 5) for x in logp.tolist()], "margin": round((two[:, 0] - two[:, 1]).min().item(), 4),
            "decoded": tokenizer.decode(new, skip_special_tokens=True),
        })
        print(f"{cases[-1]['margin']:8.4f} {penalty} {cases[-1]['decoded']!r}")
    return {"transformers": transformers.__version__, "cases": cases}


def warpers() -> dict:
    torch.manual_seed(5)
    cases = []
    for vocabulary in (40, 1000):
        logits = (torch.randn(vocabulary) * 3).round(decimals=3)
        seen = torch.randint(0, vocabulary, (12,)).tolist()
        for options in (
            {"temperature": 0.7}, {"topK": 5}, {"topP": 0.9}, {"topP": 0.05}, {"minP": 0.1}, {"repetitionPenalty": 1.4},
            {"temperature": 1.6, "topK": 12, "topP": 0.8}, {"temperature": 0.5, "topK": 20, "topP": 0.95, "minP": 0.05},
            {"temperature": 2.0, "topP": 0.99}, {"temperature": 1.3, "minP": 0.02, "repetitionPenalty": 1.2, "topK": 30},
        ):
            chain = LogitsProcessorList()
            if "repetitionPenalty" in options:
                chain.append(RepetitionPenaltyLogitsProcessor(options["repetitionPenalty"]))
            if "temperature" in options:
                chain.append(TemperatureLogitsWarper(options["temperature"]))
            if "topK" in options:
                chain.append(TopKLogitsWarper(options["topK"]))
            if "topP" in options:
                chain.append(TopPLogitsWarper(options["topP"]))
            if "minP" in options:
                chain.append(MinPLogitsWarper(options["minP"]))
            p = torch.softmax(chain(torch.tensor([seen]), logits[None].clone()).double(), -1)[0]
            kept = torch.nonzero(p).flatten().tolist()
            cases.append({"logits": len(cases) // 10, "options": options, "kept": "all" if len(kept) == vocabulary else kept,
                          "probabilities": [float(f"{p[i]:.7g}") for i in (kept if len(kept) <= 40 else kept[:40])]})
        if vocabulary == 40:
            first = (logits.tolist(), seen)
    return {"logits": [{"values": [round(x, 3) for x in v], "seen": s} for v, s in (first, (logits.tolist(), seen))], "cases": cases}


if __name__ == "__main__":
    folder, out = sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for name, value in (("greedy", greedy(folder)), ("warpers", warpers())):
        (out / f"{name}.json").write_text(json.dumps(value) + "\n")
