"""Tiny GGUF files of every family, as llama.cpp's converter would write them: fixtures of packages/heed/test/model/gguf-families.test.ts.

    python tools/oracles/gguf_families.py

Needs gguf, safetensors, torch. Reads the tiny random models that architectures.py saved to packages/heed/test/fixtures/architectures/,
writes packages/heed/test/fixtures/weights/families/NAME.gguf. Tensor names are those of the gguf package's own tables; what the
converter does to the weights (convert_hf_to_gguf.py) is written out in `tensors`.
"""
import json
import math
from pathlib import Path

import gguf
import numpy as np
from gguf import MODEL_ARCH as Arch
from safetensors.torch import load_file

FIXTURES = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures"
OUT = FIXTURES / "weights/families"
FAMILIES = {"qwen2": Arch.QWEN2, "qwen3": Arch.QWEN3, "mistral": Arch.LLAMA, "phi3": Arch.PHI3, "phi3-long": Arch.PHI3, "gemma3": Arch.GEMMA3}


def permute(weights, heads):
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def tensors(folder, arch, config):
    for name, tensor in load_file(folder / "model.safetensors").items():
        value = tensor.float().numpy()
        if arch == Arch.LLAMA and ".q_proj." in name:
            value = permute(value, config["num_attention_heads"])
        if arch == Arch.LLAMA and ".k_proj." in name:
            value = permute(value, config["num_key_value_heads"])
        if arch == Arch.GEMMA3 and name.endswith("norm.weight"):
            value = value + 1
        yield name, value


def write(name, arch):
    folder = FIXTURES / "architectures" / name
    config = json.loads((folder / "config.json").read_text())
    layers, rope = config["num_hidden_layers"], config["rope_parameters"]
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", gguf.MODEL_ARCH_NAMES[arch])
    writer.add_block_count(layers), writer.add_context_length(config["max_position_embeddings"]), writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"]), writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"]), writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope.get("full_attention", rope)["rope_theta"])
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    if "head_dim" in config:
        writer.add_key_length(head), writer.add_value_length(head)
    if arch in (Arch.LLAMA, Arch.PHI3):
        writer.add_rope_dimension_count(int(rope.get("partial_rotary_factor", 1) * head))
    if arch in (Arch.LLAMA, Arch.PHI3, Arch.GEMMA3):
        writer.add_sliding_window(config["sliding_window"] or 0)
    if arch == Arch.GEMMA3:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR), writer.add_rope_scaling_factor(rope["full_attention"]["factor"])
    if arch == Arch.PHI3:
        original = config["original_max_position_embeddings"]
        writer.add_rope_scaling_orig_ctx_len(original)
        if rope["rope_type"] == "longrope":
            writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(config["max_position_embeddings"] / original) / math.log(original)))
            for which in ("long", "short"):
                writer.add_tensor(f"rope_factors_{which}.weight", np.array(rope[f"{which}_factor"], dtype=np.float32))
    # The vocabulary is not what is tested: one letter a token, of the kind that the family has.
    tokens = ["<unk>", "<s>", "</s>"] + [chr(0x100 + i) for i in range(config["vocab_size"] - 3)]
    writer.add_tokenizer_model("llama" if arch in (Arch.GEMMA3, Arch.PHI3) else "gpt2")
    writer.add_tokenizer_pre("default" if arch in (Arch.GEMMA3, Arch.PHI3) else "qwen2")
    writer.add_token_list(tokens), writer.add_token_scores([0.0] * len(tokens)), writer.add_token_types([2, 3, 3] + [1] * (len(tokens) - 3))
    if arch not in (Arch.GEMMA3, Arch.PHI3):
        writer.add_token_merges([f"{tokens[3]} {tokens[4]}"])
    writer.add_bos_token_id(config["bos_token_id"]), writer.add_eos_token_id(config["eos_token_id"])
    writer.add_unk_token_id(0), writer.add_pad_token_id(config["pad_token_id"])
    names = gguf.get_tensor_name_map(arch, layers)
    for hf, value in tensors(folder, arch, config):
        known = names.get_name(hf, (".weight", ".bias"))
        assert known, hf
        packed = value.astype(np.float32)
        if value.ndim == 2:
            writer.add_tensor(known, gguf.quants.quantize(packed, gguf.GGMLQuantizationType.BF16), raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(known, packed)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()


OUT.mkdir(parents=True, exist_ok=True)
for family, architecture in FAMILIES.items():
    write(family, architecture)
