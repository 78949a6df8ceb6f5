"""What transformers and PEFT compute with each architecture: the fixtures of packages/heed/test/model/architectures.long.test.ts.

    python tools/oracles/architectures.py

Needs torch, transformers, peft. Writes packages/heed/test/fixtures/architectures/:
  <name>/              a tiny random model, saved by transformers; those with PEFT also adapter/ and gradients.safetensors
  <name>.json          sequences and the log-probabilities of their responses; greedy continuations; under the adapter, the same and
                       the weights of the sum whose derivatives by A and B are in gradients.safetensors
  longrope.json        LongRoPE's two sets of inverse frequencies and its scaling of attention
"""
import json
import shutil

import torch
from model_fixtures import OUT as LLAMAS
from model_fixtures import gradients, logprobs, randomise, rounded, sequences
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Gemma3Config, Gemma3TextConfig, MistralConfig, Phi3Config, Qwen2Config, Qwen3Config
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = LLAMAS.parent / "architectures"
VOCABULARY = 64
COMMON = dict(hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=VOCABULARY,
              max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0, 1.1, 1.3], "long_factor": [1.5, 4.0, 9.0]}
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
FUSED = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]
ALL = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]
# name: configuration, and the targets of a LoRA adapter where there is one
MODELS = {
    # a window shorter than the prompts, in every layer
    "mistral": (MistralConfig(**COMMON, sliding_window=6), None),
    "mistral-all": (MistralConfig(**COMMON, sliding_window=None), None),
    "qwen2": (Qwen2Config(**COMMON, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6}), ALL),
    # a window in the second layer only
    "qwen2-window": (Qwen2Config(**COMMON, use_sliding_window=True, sliding_window=5, max_window_layers=1), None),
    # heads wider than width / heads
    "qwen3": (Qwen3Config(**COMMON, head_dim=16, rope_parameters={"rope_type": "default", "rope_theta": 1e6}), ALL),
    "phi3": (Phi3Config(**COMMON, sliding_window=7), FUSED),
    # texts of up to 16 tokens are turned otherwise than longer ones, and a quarter of each head is not turned at all
    "phi3-long": (Phi3Config(**COMMON, original_max_position_embeddings=16, rope_parameters={**LONG, "partial_rotary_factor": 0.75}), None),
    # five local layers with a window of 4, a global one, a local one
    "gemma3": (Gemma3TextConfig(**{**COMMON, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 7, "num_key_value_heads": 1}, head_dim=8, sliding_window=4,
                                query_pre_attn_scalar=12, rope_parameters={
                                    "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e6},
                                    "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}), ALL),
    # the text part of a model that sees images: its tensors and settings lie one level deeper
    "gemma3-vision": (Gemma3Config(
        text_config=dict(**{**COMMON, "hidden_size": 16, "intermediate_size": 24, "num_key_value_heads": 1}, head_dim=8, sliding_window=4, sliding_window_pattern=2),
        vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=16, patch_size=4),
        image_token_index=60, boi_token_index=61, eoi_token_index=62, mm_tokens_per_image=4, eos_token_id=[2, 3]), None),
}


def tiny(name, config, seed):
    folder = OUT / name
    model = AutoModelForCausalLM.from_config(config)
    randomise(model, seed)
    if "gemma" in name:
        # its norms add 1
        with torch.no_grad():
            for key, p in model.named_parameters():
                if "norm" in key:
                    p.sub_(1)
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return folder


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    model.name_or_path = folder.name
    return model


def greedy(model):
    """Continuations of prompts shorter and longer than the windows; LongRoPE: none that crosses its border while it is written."""
    out = []
    for prompt, n in [([5, 6, 7], 10), ([9], 12), ([3 * i % 60 + 3 for i in range(20)], 14)]:
        ids = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), max_new_tokens=n, do_sample=False, eos_token_id=-1, pad_token_id=0)
        out.append({"prompt": prompt, "ids": ids[0, len(prompt):].tolist()})
    return out


def adapter(folder, targets, seed, rows):
    base = load(folder)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=2, lora_alpha=4, target_modules=targets)).eval()
    model.peft_config["default"].base_model_name_or_path = folder.name
    g = torch.Generator().manual_seed(100 + seed)
    with torch.no_grad():
        for n, p in model.named_parameters():
            if "lora_" in n:
                p.copy_(torch.randn(p.shape, generator=g) * 0.3)
    model.save_pretrained(folder / "adapter")
    (folder / "adapter/README.md").unlink(missing_ok=True)
    written = folder / "adapter/adapter_config.json"
    config = json.loads(written.read_text())
    config["target_modules"].sort()  # PEFT's order is another in every run
    written.write_text(json.dumps(config, indent=2, sort_keys=True))
    weights = [torch.randn(len(s["response"]), generator=g).round(decimals=2) for s in rows]
    of = [rounded(logprobs(model, s).tolist()) for s in rows]
    save_file(gradients(model, weights, rows), folder / "gradients.safetensors")
    return {"logprobs": of, "weights": [rounded(w.tolist()) for w in weights]}


def longrope():
    config = MODELS["phi3-long"][0]
    out = {}
    for kind, length in [("short", 16), ("long", 17)]:
        frequencies, out["scaling"] = ROPE_INIT_FUNCTIONS["longrope"](config, "cpu", seq_len=length)
        out[kind] = rounded(frequencies.tolist())
    (OUT / "longrope.json").write_text(json.dumps(out))


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    rows = sequences(VOCABULARY)
    for seed, (name, (config, targets)) in enumerate(MODELS.items()):
        folder = tiny(name, config, seed)
        model = load(folder)
        out = {"sequences": [{**s, "logprobs": rounded(logprobs(model, s).tolist())} for s in rows], "greedy": greedy(model)}
        if targets:
            out["adapter"] = adapter(folder, targets, seed, rows)
        (OUT / f"{name}.json").write_text(json.dumps(out))
    longrope()
