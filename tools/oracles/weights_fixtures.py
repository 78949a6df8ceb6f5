"""Weights as other implementations read them: the fixtures of packages/heed/test/model.

    python tools/oracles/weights_fixtures.py [SmolLM2-135M-Instruct.Q4_1.gguf]

Needs numpy, torch, gguf, safetensors, transformers. Writes packages/heed/test/fixtures/weights/:
  blocks-TYPE.gguf, blocks.json   one tensor of each GGUF type; its f32 values according to the gguf package
  tiny-llama.gguf, tiny-llama/    a tiny random llama saved by transformers, and as llama.cpp's converter would write it
  rope.json                       Llama 3's rotary factors according to transformers
  smollm2.json                    (with the argument) values of the default model, read by transformers from the GGUF
"""
import hashlib
import json
import math
import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

OUT = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures/weights"
TYPES = [Q.F32, Q.F16, Q.BF16, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0]
# The package cannot quantise to these: random bytes stand for them, with the bytes at which a block's 16-bit factors lie.
K_TYPES = {Q.Q4_K: (0, 2), Q.Q5_K: (0, 2), Q.Q6_K: (208,)}


def floats(array) -> str:
    """f32 bit for bit, as hexadecimal little-endian."""
    return np.ascontiguousarray(array, dtype="<f4").tobytes().hex()


def blocks():
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((3, 64)) * np.array([[1e-6], [1.0], [3e3]])).astype(np.float32)
    values[1, 32:] = 0
    expected = {}
    packs = {kind: gguf.quants.quantize(values, kind) for kind in TYPES}
    for kind, places in K_TYPES.items():
        packs[kind] = rng.integers(0, 256, (3, gguf.GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
        for place in places:
            packs[kind][:, place:place + 2] = np.array([[3e-7], [-0.37], [900.0]], dtype=np.float16).view(np.uint8)
    for kind, packed in packs.items():
        writer = gguf.GGUFWriter(OUT / f"blocks-{kind.name}.gguf", "llama")
        writer.add_array("test.list", ["a", "ü"])
        writer.add_tensor("x", packed, raw_dtype=kind)
        writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()
        expected[kind.name] = floats(gguf.quants.dequantize(packed, kind))
    (OUT / "blocks.json").write_text(json.dumps(expected))


def permute(weights, heads):
    """llama.cpp's convert_hf_to_gguf.py, LlamaModel.permute."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def tiny():
    torch.manual_seed(0)
    config = LlamaConfig(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
                         vocab_size=261, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=5000.0, tie_word_embeddings=False,
                         bos_token_id=1, eos_token_id=2)
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    folder = OUT / "tiny-llama"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size="10KB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    state = {name: tensor.float().numpy() for name, tensor in model.state_dict().items()}
    writer = gguf.GGUFWriter(OUT / "tiny-llama.gguf", "llama")
    writer.add_block_count(2), writer.add_context_length(64), writer.add_embedding_length(16), writer.add_feed_forward_length(24)
    writer.add_head_count(4), writer.add_head_count_kv(2), writer.add_key_length(8), writer.add_rope_dimension_count(8)
    writer.add_rope_freq_base(5000.0), writer.add_layer_norm_rms_eps(1e-5)
    alphabet = [chr(b) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255 else None for b in range(256)]
    spare = iter(range(256, 512))
    tokens = ["<unk>", "<s>", "</s>"] + [c or chr(next(spare)) for c in alphabet] + ["he", "ll"]
    writer.add_tokenizer_model("gpt2"), writer.add_tokenizer_pre("smollm"), writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * 258), writer.add_token_merges(["h e", "l l"])
    writer.add_bos_token_id(1), writer.add_eos_token_id(2)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    for name, value in state.items():
        if name.endswith("q_proj.weight"):
            value = permute(value, 4)
        if name.endswith("k_proj.weight"):
            value = permute(value, 2)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), np.ascontiguousarray(value))
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()
    (OUT / "tiny-llama.json").write_text(json.dumps({name: hashlib.sha256(value.astype("<f4").tobytes()).hexdigest() for name, value in state.items()}))
    save_file({"half": torch.arange(-4, 4).half() / 3, "brain": torch.arange(6).bfloat16().reshape(2, 3) / 7, "empty": torch.zeros(0, 3)}, OUT / "types.safetensors")
    (OUT / "types.json").write_text(json.dumps({name: floats(value.float().numpy()) for name, value in load_file(OUT / "types.safetensors").items()}))


def rope():
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
    out = {}
    for factor in (8.0, 32.0):
        config = LlamaConfig(hidden_size=256, num_attention_heads=4, head_dim=64, rope_theta=500000.0, max_position_embeddings=131072, rope_scaling={
            "rope_type": "llama3", "rope_theta": 500000.0, "factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192})
        scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
        plain = 1.0 / 500000.0 ** (torch.arange(0, 64, 2).float() / 64)
        out[str(int(factor))] = floats((plain / scaled).numpy())
    (OUT / "rope.json").write_text(json.dumps(out))


def smollm2(path: Path):
    model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32)
    tensors = {}
    for name, value in model.state_dict().items():
        array = value.numpy().astype("<f4")
        tensors[name] = {"shape": list(array.shape), "first": floats(array.reshape(-1)[:8]), "sum": math.fsum(array.reshape(-1)[:4096].tolist()),
                         "sha256": hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}
    keep = [n for n in tensors if "layers" not in n or ".layers.0." in n or ".layers.29." in n]
    if model.config.tie_word_embeddings:
        keep.remove("lm_head.weight")
    config = model.config.to_dict()
    keys = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size", "tie_word_embeddings",
            "max_position_embeddings", "bos_token_id", "eos_token_id"]
    (OUT / "smollm2.json").write_text(json.dumps({"config": {k: config[k] for k in keys}, "tensors": {n: tensors[n] for n in keep}}, indent=1))


OUT.mkdir(parents=True, exist_ok=True)
blocks()
tiny()
rope()
if len(sys.argv) > 1:
    smollm2(Path(sys.argv[1]).resolve())
