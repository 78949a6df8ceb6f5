"""Greedy generation by llama.cpp in a process of its own; driven as peer.py is.

usage: llama.py FILE   (JSON). All prompts are decoded side by side, a sequence each, through llama.cpp's own batches: the high-level class of
llama-cpp-python works on one at a time.
"""

import ctypes
import json
import platform
import resource
import sys
import time
from importlib.metadata import version

import llama_cpp
import numpy


@llama_cpp.llama_log_callback
def silent(*_):
    pass


def main():
    spec = json.load(open(sys.argv[1]))
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_default_params()
    model = llama_cpp.llama_model_load_from_file(spec["gguf"].encode(), params)
    if not model:
        raise RuntimeError(f"llama.cpp cannot read {spec['gguf']}")
    prompts, new = spec["prompts"], spec["newTokens"]
    n, length = len(prompts), max(map(len, prompts))
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = n * (length + new + 8)
    options.n_batch = options.n_ubatch = max(512, n * length)
    options.n_seq_max = n
    options.n_threads = options.n_threads_batch = spec["threads"]
    context = llama_cpp.llama_init_from_model(model, options)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    memory = llama_cpp.llama_get_memory(context)
    batch = llama_cpp.llama_batch_init(n * length, 0, 1)

    def decode(rows):
        """rows: (token, position, sequence, whether its logits are wanted)."""
        batch.n_tokens = len(rows)
        for i, (token, position, sequence, wanted) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, position, 1, sequence, wanted
        if llama_cpp.llama_decode(context, batch) != 0:
            raise RuntimeError("llama_decode failed")
        return [numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), (vocabulary,)) for i, row in enumerate(rows) if row[3]]

    def run():
        llama_cpp.llama_memory_clear(memory, True)
        made, first = [[] for _ in prompts], []
        logits = decode([(token, t, s, t == len(ids) - 1) for s, ids in enumerate(prompts) for t, token in enumerate(ids)])
        for step in range(new):
            for s, row in enumerate(logits):
                made[s].append(int(row.argmax()))
                if step == 0:
                    first.append(float(row.max() - numpy.logaddexp.reduce(row.astype(numpy.float64))))
            if step < new - 1:
                logits = decode([(made[s][-1], len(ids) + step, s, True) for s, ids in enumerate(prompts)])
        return {"ids": made, "firstLogps": first}

    say = lambda message: print(json.dumps(message), flush=True)
    say({"ready": True, "versions": {"python": platform.python_version(), "llama-cpp-python": version("llama-cpp-python")}, "threads": spec["threads"]})
    for _ in sys.stdin:
        begin = time.perf_counter()
        result = run()
        say({"seconds": time.perf_counter() - begin, **result})
    say({"peakRss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


main()
