"""What transformers and PEFT compute: the fixtures of packages/heed/test/model/{logits,rope,peft,adapter}.

    python tools/oracles/model_fixtures.py [FOLDER of SmolLM2-135M-Instruct, as `heed models` shows it]

Needs torch, transformers, peft. Writes packages/heed/test/fixtures/model/:
  llama3/  linear/  plain/     tiny random Llamas, saved by transformers: one for each rope, dtype, tying and number of key heads
  logprobs.json                for each, some sequences and the log-probabilities of their responses
  rope.json                    inverse frequencies
  peft/                        LoRA adapters on llama3/, saved by PEFT
  peft.json                    log-probabilities under each adapter; for the first, derivatives of a weighted sum by A and B
  smollm2.json                 (with the argument) log-probabilities and logits of the real model
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures/model"
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
VARIANTS = {
    # like Llama 3, f32
    "llama3": (dict(hidden_size=32, intermediate_size=48, num_attention_heads=4, num_key_value_heads=2, vocab_size=320, tie_word_embeddings=False,
                    rope_parameters={"rope_theta": 500000.0, **LLAMA3}), torch.float32, "1GB"),
    # tied, one key head, biases, bf16 in shards
    "linear": (dict(hidden_size=16, intermediate_size=24, num_attention_heads=4, num_key_value_heads=1, head_dim=8, vocab_size=96, tie_word_embeddings=True,
                    attention_bias=True, mlp_bias=True, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}), torch.bfloat16, "6KB"),
    # like Llama 2: every head its own keys, f16
    "plain": (dict(hidden_size=16, intermediate_size=40, num_attention_heads=2, num_key_value_heads=2, vocab_size=96, tie_word_embeddings=False,
                   rope_parameters={"rope_type": "default", "rope_theta": 10000.0}), torch.float16, "1GB"),
}
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTERS = {
    "list": dict(r=4, lora_alpha=6, target_modules=ALL),
    "all-linear": dict(r=2, lora_alpha=4, target_modules="all-linear", use_rslora=True, lora_dropout=0.1),
    "regex": dict(r=2, lora_alpha=8, target_modules=r".*\.layers\.1\.(self_attn\.[qv]|mlp\.up)_proj"),
    "one-layer": dict(r=1, lora_alpha=2, target_modules=["v_proj", "down_proj"], layers_to_transform=[0]),
    # patterns that are names' ends, expressions, and one that fits nothing; PEFT saves them sorted, so that no two may fit one module
    "patterns": dict(r=2, lora_alpha=4, target_modules=ALL, rank_pattern={"q_proj": 3, r"layers\.1\.mlp\.(up|down)_proj": 1, "nothing": 9},
                     alpha_pattern={"layers.0.self_attn.q_proj": 8, "down_proj": 1, r"mlp\.(gate|up)_proj": 6}),
    "patterns-rslora": dict(r=2, lora_alpha=4, target_modules=["v_proj", "o_proj"], use_rslora=True, rank_pattern={"o_proj": 4}),
}


def rounded(values):
    """Nine digits: exact for 32-bit floats."""
    return [float(f"{v:.9g}") for v in values]


def logprobs(model, sequence, grad=False):
    prompt, response = sequence["prompt"], sequence["response"]
    with torch.set_grad_enabled(grad):
        logp = model(torch.tensor([prompt + response])).logits[0].float().log_softmax(-1)
        at = torch.arange(len(response)) + len(prompt) - 1
        return logp[at, torch.tensor(response)]


def gradients(model, weights, rows):
    """d/dθ Σ w·log p by the adapter, in 64-bit products: 32-bit sums through many layers are others on another CPU. The model is 64-bit from then on."""
    model.double()
    sum((w * logprobs(model, s, grad=True)).sum() for w, s in zip(weights, rows)).backward()
    return {n.replace(".default", ""): p.grad.float().contiguous() for n, p in model.named_parameters() if p.grad is not None}


def sequences(vocabulary):
    """Prompts shared by one, two and three responses; lengths from 1."""
    g = torch.Generator().manual_seed(1)
    draw = lambda n: torch.randint(0, vocabulary, (n,), generator=g).tolist()
    a, b, c = draw(9), draw(1), draw(23)
    return [{"prompt": p, "response": draw(n)} for p, n in [(a, 5), (b, 7), (a, 1), (c, 12), (a, 3), (c, 2)]]


def randomise(model, seed):
    """Weights large enough that attention and rope matter in every digit."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            p.copy_(1 + 0.2 * noise if "norm" in name else noise * (0.3 if name.endswith("bias") else 1.5 / p.shape[-1] ** 0.5))


def tiny():
    out = {}
    for seed, (name, (kw, dtype, shards)) in enumerate(VARIANTS.items()):
        config = LlamaConfig(num_hidden_layers=2, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, **kw)
        model = LlamaForCausalLM(config)
        randomise(model, seed)
        folder = OUT / name
        model.to(dtype).save_pretrained(folder, max_shard_size=shards)
        (folder / "generation_config.json").unlink(missing_ok=True)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        out[name] = [{**s, "logprobs": rounded(logprobs(model, s).tolist())} for s in sequences(config.vocab_size)]
    (OUT / "logprobs.json").write_text(json.dumps(out))


def rope():
    out = []
    cases = [({"rope_type": "default", "rope_theta": 10000.0}, 64), ({"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}, 128),
             ({"rope_theta": 500000.0, **LLAMA3, "original_max_position_embeddings": 8192}, 64),
             ({"rope_theta": 500000.0, **LLAMA3, "factor": 32.0, "original_max_position_embeddings": 8192}, 128)]
    for parameters, size in cases:
        config = LlamaConfig(hidden_size=4 * size, num_attention_heads=4, max_position_embeddings=131072, rope_parameters=parameters)
        kind = parameters["rope_type"]
        if kind == "default":
            from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
            frequencies = LlamaRotaryEmbedding(config).inv_freq
        else:
            frequencies, _ = ROPE_INIT_FUNCTIONS[kind](config, "cpu")
        out.append({"headSize": size, **parameters, "frequencies": rounded(frequencies.tolist())})
    (OUT / "rope.json").write_text(json.dumps(out))


def peft():
    out = {}
    rows = sequences(320)
    for seed, (name, kw) in enumerate(ADAPTERS.items()):
        base = AutoModelForCausalLM.from_pretrained(OUT / "llama3", dtype=torch.float32)
        base.name_or_path = "llama3"
        model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **kw)).eval()
        model.peft_config["default"].base_model_name_or_path = "llama3"
        g = torch.Generator().manual_seed(100 + seed)
        with torch.no_grad():
            for n, p in model.named_parameters():
                if "lora_" in n:
                    p.copy_(torch.randn(p.shape, generator=g) * 0.3)
        folder = OUT / "peft" / name
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        out[name] = {"sequences": [{**s, "logprobs": rounded(logprobs(model, s).tolist())} for s in rows]}
        if name == "list":
            # d/dθ Σ w·log p, with a weight of its own for every token (some zero: as if not supervised)
            weights = [torch.randn(len(s["response"]), generator=g).round(decimals=2) for s in rows]
            for w in weights[3::2]:
                w[::2] = 0
            out[name]["weights"] = [rounded(w.tolist()) for w in weights]
            save_file(gradients(model, weights, rows), OUT / "gradients.safetensors")
    (OUT / "peft.json").write_text(json.dumps(out))


def smollm2(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    pairs = [("Name three colours.", "Red, green and blue."), ("Name three colours.", "Orange, violet, and a shade of grey that has no name."),
             ("Écris une phrase sur la mer, puis traduis-la.", "La mer est calme ce matin. The sea is calm this morning. 🌊"),
             ("def add(a, b):", " return a + b\n\nprint(add(2, 3))  # 5")]
    rows = []
    for prompt, response in pairs:
        ids = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True)["input_ids"]
        rows.append({"prompt": list(ids), "response": tokenizer.encode(response + "<|im_end|>", add_special_tokens=False)})
    with torch.no_grad():
        logits = model(torch.tensor([rows[0]["prompt"]])).logits[0]
    every = 211
    out = {"sequences": [{**s, "logprobs": rounded(logprobs(model, s).tolist())} for s in rows],
           "logits": {"every": every, "prompt": rows[0]["prompt"], "at": (at := [0, 5, len(rows[0]["prompt"]) - 1]), "values": [rounded(logits[i, ::every].tolist()) for i in at]}}
    (OUT / "smollm2.json").write_text(json.dumps(out))


if __name__ == "__main__":
    for part in [*VARIANTS, "peft"]:
        shutil.rmtree(OUT / part, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    tiny()
    rope()
    peft()
    if len(sys.argv) > 1:
        smollm2(sys.argv[1])
