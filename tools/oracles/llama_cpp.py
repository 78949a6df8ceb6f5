"""What llama.cpp makes of the GGUF files that Heed writes: token ids of prompts, and greedy continuations.

Usage: llama_cpp.py FOLDER OUTPUT, where FOLDER has base.gguf, merged.gguf, lora.gguf and merged-q8_0.gguf (llama_cpp_models.js writes them).
Needs the wheel xllamacpp, which holds llama.cpp itself.
"""
import json
import sys
import urllib.request
from pathlib import Path

import xllamacpp

PROMPTS = [
    "<|im_start|>user\nName three fruits.<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nWhat is 12 + 345?<|im_end|>\n<|im_start|>assistant\n",
    "The capital of Österreich is",
]
TOKENS = 16


def serve(model: Path, lora: Path | None = None) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 256, 1, False, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    # Keys and values in 32 bits, as Heed keeps them.
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    if lora is not None:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(lora), 1.0)]
    return xllamacpp.Server(params)


def ask(server: xllamacpp.Server, path: str, body: dict) -> dict:
    request = urllib.request.Request(server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def main(folder: Path, output: Path) -> None:
    adapter = json.loads((folder / "adapter.json").read_text())
    cases: dict = {"adapter": adapter, "prompts": PROMPTS, "ids": [], "continuations": {}}
    models = {"base": ("base", None), "merged": ("merged", None), "lora": ("base", "lora"), "q8_0": ("merged-q8_0", None)}
    for name, (model, lora) in models.items():
        server = serve(folder / f"{model}.gguf", lora and folder / f"{lora}.gguf")
        if not cases["ids"]:
            cases["ids"] = [
                ask(server, "/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"] for prompt in PROMPTS
            ]
        cases["continuations"][name] = [
            ask(server, "/completion", {
                "prompt": ids, "n_predict": TOKENS, "temperature": 0, "top_k": 1, "samplers": ["top_k"], "repeat_penalty": 1,
                "return_tokens": True, "cache_prompt": False,
            })["tokens"]
            for ids in cases["ids"]
        ]
        del server
    output.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
