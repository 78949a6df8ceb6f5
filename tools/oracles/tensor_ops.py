"""Values and gradients of every tensor operation according to PyTorch: the fixtures of packages/tensor/test.

    python tools/oracles/tensor_ops.py

Needs numpy, torch, transformers. Everything is computed in float64 from float32 inputs. Writes packages/tensor/test/fixtures/:
  ops.json     cases: inputs, the derivative fed for the output, and the expected output and input derivatives;
               points: value and derivative of unary functions at single numbers
  adamw.json   twenty steps of torch.optim.AdamW after clip_grad_norm_
"""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

OUT = Path(__file__).resolve().parents[2] / "packages/tensor/test/fixtures"
rng = np.random.default_rng(3)
cases = []


def digits(array):
    return [float(f"{v:.9g}") for v in np.asarray(array, dtype=np.float64).reshape(-1)]


def normal(*shape, scale=1.0):
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def positive(*shape):
    return rng.uniform(0.5, 3, shape).astype(np.float32)


def apart(*shape):
    """Numbers with a distance of at least 0.1 from the integers, where the kinks are put."""
    return (rng.integers(-3, 3, shape) + rng.uniform(0.1, 0.9, shape)).astype(np.float32)


def ints(values, dtype=np.int32):
    return np.asarray(values, dtype=dtype)


DTYPES = {"float32": "float32", "int32": "int32", "int64": "int64", "bool": "bool"}


def case(op, fn, inputs, note="", args=None, dims=None, frozen=()):
    """`fn` maps float64 (or integer) torch tensors to the output. `dims[i]` names symbolic dimensions of input i. `frozen`: inputs that get no gradient."""
    tensors = [torch.tensor(x, dtype=torch.float64 if x.dtype == np.float32 else None) for x in inputs]
    wrt = [i for i, x in enumerate(inputs) if x.dtype == np.float32 and i not in frozen]
    for i in wrt:
        tensors[i].requires_grad_(True)
    y = fn(*tensors)
    seed = normal(*y.shape)
    found = [None] * len(wrt)
    if y.requires_grad:
        found = torch.autograd.grad(y, [tensors[i] for i in wrt], torch.tensor(seed, dtype=torch.float64), allow_unused=True)
    gradients = [None] * len(inputs)
    for i, g in zip(wrt, found):
        gradients[i] = None if g is None else digits(g)
    cases.append({
        "op": op,
        "note": note or " ".join(str(list(x.shape)) for x in inputs),
        "args": args or {},
        "inputs": [
            {"dtype": DTYPES[str(x.dtype)], "shape": list(x.shape), "dims": (dims or {}).get(i, list(x.shape)),
             "data": digits(x) if x.dtype == np.float32 else [int(v) for v in x.reshape(-1)]}
            for i, x in enumerate(inputs)
        ],
        "shape": list(y.shape),
        "seed": digits(seed),
        "output": digits(y.detach().numpy()),
        "gradients": gradients,
    })


def elementwise():
    pairs = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 1, 3), (4, 1)), ((), (2, 2)), ((0, 3), (3,)), ((1, 3), (0, 1))]
    for name, fn in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        for a, b in pairs:
            case(name, fn, [normal(*a), positive(*b)])
        case(name, fn, [normal(4, 3), positive(3)], "symbolic rows", dims={0: ["n", 3]})
        case(name, fn, [normal(4, 2, 1), positive(1, 5)], "symbolic, both broadcast", dims={0: ["n", 2, 1], 1: [1, "m"]})
    for name, fn in {"minimum": torch.minimum, "maximum": torch.maximum}.items():
        a = apart(3, 4)
        case(name, fn, [a, a + np.where(rng.random((3, 4)) < 0.5, -0.4, 0.4).astype(np.float32)])
        case(name, fn, [apart(3, 1), np.float32([[-2, 0, 1]])], "broadcast", dims={0: ["n", 1]})
    smooth = {
        "neg": torch.neg, "exp": torch.exp, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": F.softplus,
        "logSigmoid": F.logsigmoid, "square": torch.square, "silu": F.silu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    }
    for name, fn in smooth.items():
        for shape in [(3, 4), (0, 2), ()]:
            case(name, fn, [normal(*shape, scale=2)])
        case(name, fn, [normal(2, 3)], "symbolic", dims={0: ["n", "m"]})
    for name, fn in {"log": torch.log, "sqrt": torch.sqrt}.items():
        case(name, fn, [positive(3, 4)])
        case(name, fn, [positive(2, 3)], "symbolic", dims={0: ["n", 3]})
    for name, fn in {"relu": torch.relu, "abs": torch.abs}.items():
        case(name, fn, [apart(3, 4)])
    case("clamp", lambda x: x.clamp(-1, 2), [apart(3, 5)], args={"low": -1, "high": 2})
    case("clamp", lambda x: x.clamp(max=1), [apart(3, 5)], "no lower limit", args={"low": None, "high": 1})
    case("log1mexp", lambda x: torch.log(-torch.expm1(x)), [-positive(3, 4)], dims={0: ["n", 4]})
    for name, fn in {"greater": torch.gt, "atLeast": torch.ge}.items():
        case(name, lambda a, b, fn=fn: fn(a, b).double(), [np.float32([[1, 2, 3]]), np.float32([[2], [1]])], frozen=(0, 1))
    flags = rng.random((3, 4)) < 0.5
    case("where", torch.where, [flags, normal(3, 4), normal(3, 4)])
    case("where", torch.where, [flags, normal(4), normal(3, 1)], "broadcast values", dims={0: ["n", 4], 2: ["n", 1]})
    case("where", torch.where, [rng.random(4) < 0.5, normal(3, 4), normal()], "broadcast condition")
    case("cast", lambda x: x.bfloat16().double(), [(np.arange(12).reshape(3, 4) / 8 - 1).astype(np.float32)], "through bfloat16", args={"through": "bfloat16"})
    case("cast", lambda x: x.double(), [ints([[1, -2], [3, 70000]])], "from int32", args={"through": "int32"})
    case("toFloat", lambda x: x.double(), [flags])


def products():
    for ta, tb in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        fn = lambda a, b: 0.5 * (a.mT if ta else a) @ (b.mT if tb else b)
        flip = lambda shape, t: (*shape[:-2], shape[-1], shape[-2]) if t else shape
        args = {"transA": bool(ta), "transB": bool(tb), "alpha": 0.5}
        for note, a, b in [("plain", (3, 4), (4, 2)), ("no rows", (0, 4), (4, 2)), ("batched", (2, 3, 2, 4), (2, 3, 4, 3)), ("shared B", (2, 3, 4), (4, 3)), ("no batch", (0, 3, 4), (0, 4, 3)), ("nothing to sum", (3, 0), (0, 2))]:
            case("matmul", fn, [normal(*flip(a, ta)), normal(*flip(b, tb))], f"{note}, transA {ta}, transB {tb}", args)
        case("matmul", fn, [normal(*flip((2, 3, 4), ta)), normal(*flip((4, 3), tb))], f"symbolic batch, shared B, transA {ta}, transB {tb}", args, dims={0: ["b", *flip((3, 4), ta)]})
    case("matmul", lambda a, b: a @ b, [normal(2, 3, 4), normal(2, 4, 3)], "symbolic", dims={0: ["b", "t", "k"], 1: ["b", "k", "t"]})

    linear = lambda x, w: x @ w.T
    for stored, dtype in [("float32", torch.float32), ("float16", torch.float16), ("bfloat16", torch.bfloat16)]:
        w = torch.tensor(normal(3, 4)).to(dtype).float().numpy()
        case("linear", linear, [normal(5, 4), w], f"stored as {stored}", {"stored": stored}, dims={0: ["n", 4]}, frozen=(1,))
        lora = lambda x, w, a, b: x @ (w + 0.5 * b @ a).T
        case("loraLinear", lora, [normal(5, 4), w, normal(2, 4), normal(3, 2)], f"stored as {stored}", {"stored": stored, "s": 0.5}, dims={0: ["n", 4]}, frozen=(1,))
        case("mergedWeight", lambda w, a, b: w + 0.5 * b @ a, [w, normal(2, 4), normal(3, 2)], f"stored as {stored}", {"stored": stored, "s": 0.5}, frozen=(0, 1, 2))
        beside = lambda x, dropped, w, a, b: x @ w.T + 0.5 * dropped @ a.T @ b.T
        case("loraBeside", beside, [normal(5, 4), normal(5, 4), w, normal(2, 4), normal(3, 2)], f"stored as {stored}", {"stored": stored, "s": 0.5}, dims={0: ["n", 4], 1: ["n", 4]}, frozen=(2,))
        case("addBias", torch.add, [normal(5, 3), w[0, :3].copy()], f"stored as {stored}", {"stored": stored}, frozen=() if stored == "float32" else (1,))
    case("linear", linear, [normal(0, 4), normal(3, 4)], "no rows", {"stored": "float32"}, dims={0: ["n", 4]}, frozen=(1,))
    case("loraLinear", lora, [normal(0, 4), normal(3, 4), normal(2, 4), normal(3, 2)], "no rows", {"stored": "float32", "s": 0.5}, dims={0: ["n", 4]}, frozen=(1,))
    case("loraLinear", lora, [normal(4, 4), normal(3, 4), normal(2, 4), np.zeros((3, 2), np.float32)], "B = 0, as at the start", {"stored": "float32", "s": 0.5}, frozen=(1,))
    case("trainableLinear", linear, [normal(5, 4), normal(3, 4)], dims={0: ["n", 4]})
    case("trainableLinear", linear, [normal(0, 4), normal(3, 4)], "no rows", dims={0: ["n", 4]})
    case("headRows", lambda x: x.reshape(9, 2), [normal(3, 6)], args={"heads": 3}, dims={0: ["n", 6]})


def reductions():
    for axes, keep in [(None, False), ([0], False), ([-1], True), ([0, 2], False), ([2, 0], True)]:
        over = axes if axes is not None else [0, 1, 2]
        case("sum", lambda x: x.sum(over, keep), [normal(2, 3, 4)], f"axes {axes}, keep {keep}", {"axes": axes, "keep": keep})
        case("sum", lambda x: x.sum(over, keep), [normal(2, 3, 4)], f"symbolic, axes {axes}, keep {keep}", {"axes": axes, "keep": keep}, dims={0: ["n", 3, "m"]})
    case("sum", lambda x: x.sum(0), [normal(0, 3)], "of no rows", {"axes": [0], "keep": False}, dims={0: ["n", 3]})
    case("mean", lambda x: x.mean(-1, True), [normal(3, 4)], "last axis", {"axes": [-1], "keep": True}, dims={0: ["n", 4]})
    case("mean", lambda x: x.mean((0, 1)), [normal(3, 4)], "all axes", {"axes": [0, 1], "keep": False})
    case("max", lambda x: x.amax(-1), [normal(3, 4)], args={"axis": -1, "keep": False}, frozen=(0,))
    case("max", lambda x: x.amax(0, True), [normal(3, 4)], "kept", args={"axis": 0, "keep": True}, frozen=(0,))
    case("sumTo", lambda x: x.sum((0, 2), True)[0], [normal(2, 3, 4)], args={"shape": [3, 1]}, dims={0: ["n", 3, "m"]})
    for name, fn in {"softmax": torch.softmax, "logSoftmax": torch.log_softmax}.items():
        for x in [normal(3, 5), normal(2, 3, 4), normal(0, 4), normal(4), normal(3, 1), normal(2, 6, scale=30)]:
            case(name, lambda x, fn=fn: fn(x, -1), [x])
        case(name, lambda x, fn=fn: fn(x, -1), [normal(3, 5)], "symbolic", dims={0: ["n", "m"]})


def shapes():
    case("reshape", lambda x: x.reshape(4, 3), [normal(2, 6)], args={"shape": [4, 3]})
    case("reshape", lambda x: x.reshape(6, 2), [normal(2, 3, 2)], "symbolic", args={"shape": ["n*m", 2]}, dims={0: ["n", "m", 2]})
    case("expandTo", lambda x: x.expand(2, 3, 4), [normal(3, 1)], args={"shape": [2, 3, 4]})
    case("expandTo", lambda x: x.expand(2, 3, 4), [normal(3, 1)], "symbolic", args={"shape": [2, "n", 4]}, dims={0: ["n", 1]})
    for order in [(1, 0, 2), (2, 0, 1), (1, 2, 0)]:
        case("transpose", lambda x: x.permute(order), [normal(2, 3, 4)], f"order {order}", {"order": list(order)}, dims={0: ["n", 3, "m"]})
    # Parts 2 and 0 of three are joined; nothing depends on part 1.
    case("split", lambda x: torch.cat([x[3:], x[:2]]), [normal(5, 2)], args={"axis": 0, "parts": [2, 1, 2]})
    case("split", lambda x: torch.cat([x[:, 1:], x[:, :1]], 1), [normal(3, 4)], "axis 1 with an empty part", args={"axis": 1, "parts": [1, 0, 3]}, dims={0: ["n", 4]})
    case("concat", lambda a, b, c: torch.cat([a, b, c]), [normal(2, 3), normal(0, 3), normal(1, 3)], args={"axis": 0}, dims={0: ["n", 3], 1: ["m", 3]})
    case("concat", lambda a, b: torch.cat([a, b], 1), [normal(2, 1, 2), normal(2, 3, 2)], "axis 1", args={"axis": 1})
    case("zeros", lambda x: x * 0, [normal(2, 3)], args={"shape": ["n", 3]}, dims={0: ["n", 3]}, frozen=(0,))

    take = lambda x, index, *_: x[index.long()]
    case("takeRows", take, [normal(4, 3), ints([2, 0, 3, 1]), ints([1, 3, 0, 2])], "once", {"went": "once"}, dims={0: ["n", 3], 1: ["n"], 2: ["n"]})
    case("takeRows", take, [normal(4, 3), ints([[2, 0], [3, 1]]), ints([1, 3, 0, 2])], "once, into a matrix", {"went": "once"})
    case("takeRows", take, [normal(5, 2), ints([4, 1]), ints([2, 1, 2, 2, 0])], "atMostOnce", {"went": "atMostOnce"}, dims={0: ["n", 2], 1: ["k"], 2: ["n"]})
    case("takeRows", take, [normal(3, 2), ints(np.zeros(0)), ints([0, 0, 0])], "atMostOnce, none taken", {"went": "atMostOnce"}, dims={1: ["k"]})
    case("takeRows", take, [normal(4, 3), ints([[0, 2, 0], [2, 3, 2]]), ints([[0, 2, 6], [6, 6, 6], [1, 3, 5], [4, 6, 6]])], "often", {"went": "often"}, dims={0: ["n", 3], 1: ["a", "b"], 2: ["n", "k"]})
    case("takeRows", take, [normal(3, 2, 2), ints([1, 1, 1, 1, 2]), ints([[5, 5, 5, 5], [0, 1, 2, 3], [4, 5, 5, 5]])], "often, rows of rank 2", {"went": "often"})
    case("takeRows", take, [normal(3, 2), ints([1, 1]), ints([0])], "no inverse, no gradient", {"went": None}, frozen=(0,))
    for ids in [[1, 1, 4, 1, 0], [[2, 2], [0, 2]], np.zeros(0)]:
        case("embedding", lambda t, i: t[i.long()], [normal(5, 3), ints(ids)])
    case("embedding", lambda t, i: t[i.long()], [normal(5, 3), ints([3, 3, 2])], "symbolic", dims={0: ["v", 3], 1: ["n"]})


def model():
    for note, x in [("2 axes", normal(3, 6)), ("3 axes", normal(2, 3, 4)), ("no rows", normal(0, 4)), ("tiny", normal(3, 4, scale=1e-3)), ("huge", normal(3, 4, scale=1e3))]:
        case("rmsNorm", lambda x, w: F.rms_norm(x, w.shape, w, 1e-5), [x, positive(x.shape[-1])], note, {"epsilon": 1e-5}, dims={0: ["n", *x.shape[1:]]}, frozen=(1,))

    heads, width, rows = 3, 4, 9
    angles = np.outer(np.arange(rows), 100.0 ** (-np.arange(width // 2) / (width // 2)))
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def rope(x, positions, cos, sin):
        at = positions[0]
        full = lambda t: torch.cat([t[at], t[at]], -1)[None]
        q = x.reshape(1, len(at), heads, width).transpose(1, 2)
        return apply_rotary_pos_emb(q, q, full(cos), full(sin))[0].transpose(1, 2).reshape(len(at), heads * width)

    for positions in [[0, 1, 2, 3, 4], [8, 0, 0, 1, 5], [7]]:
        case("rope", rope, [normal(len(positions), heads * width), ints([positions], np.int64), cosine, sine], f"positions {positions}", {"heads": heads}, dims={0: ["n", heads * width], 1: [1, "n"]}, frozen=(2, 3))

    vocabulary, hidden = 11, 5
    for pieces in [[6], [2, 1, 0, 3], [0, 6], [0], [0, 0]]:
        n = sum(pieces)
        labels = rng.integers(0, vocabulary, n)
        parts = np.split(labels, np.cumsum(pieces)[:-1])
        for scale, stored in [(1, "float32"), (8, "float16"), (1, "bfloat16")]:
            head = torch.tensor(normal(vocabulary, hidden)).to(getattr(torch, stored)).float().numpy()
            fn = lambda h, e, *ys: torch.log_softmax(h @ e.T, -1).gather(1, torch.cat(ys)[:, None].long())[:, 0]
            named = {i + 2: [f"p{i}"] for i in range(len(pieces))}
            case("tokenLogProbs", fn, [normal(n, hidden, scale=scale), head, *[ints(p) for p in parts]], f"pieces {pieces}, {stored}", {"stored": stored}, dims={0: ["+".join(f"p{i}" for i in range(len(pieces))), hidden], **named}, frozen=(1,))


def order():
    # Neighbours lie at least 0.2 apart, so that no finite difference changes their order.
    shuffled = lambda *shape: (rng.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1) * 0.4 - 1 + rng.uniform(0, 0.2, shape)).astype(np.float32)
    for shape in [(7,), (3, 5), (2, 3, 4), (1,), (0, 3), (2, 0)]:
        case("sort", lambda x: x.sort(dim=-1).values, [shuffled(*shape)])
    case("sort", lambda x: x.sort(dim=-1).values, [shuffled(4, 6)], "symbolic", dims={0: ["n", "m"]})


def partial_rope():
    # Phi-4 turns a part of each head; LongRoPE's tables are longer than 1.
    from transformers.models.phi3.modeling_phi3 import apply_rotary_pos_emb as apply
    heads, width, turned, rows = 2, 8, 6, 9
    angles = np.outer(np.arange(rows), 100.0 ** (-np.arange(turned // 2) / (turned // 2)))
    cosine, sine = (1.2 * np.cos(angles)).astype(np.float32), (1.2 * np.sin(angles)).astype(np.float32)

    def rope(x, positions, cos, sin):
        at = positions[0]
        full = lambda t: torch.cat([t[at], t[at]], -1)[None]
        q = x.reshape(1, len(at), heads, width).transpose(1, 2)
        return apply(q, q, full(cos), full(sin))[0].transpose(1, 2).reshape(len(at), heads * width)

    case("rope", rope, [normal(4, heads * width), ints([[8, 0, 3, 1]], np.int64), cosine, sine], "a part of each head", {"heads": heads}, dims={0: ["n", heads * width], 1: [1, "n"]}, frozen=(2, 3))


def kept():
    # Distributions over the tokens that a filter kept, each label among them.
    rows, vocabulary, hidden = 6, 11, 5

    def among(labels):
        flags = rng.random((len(labels), vocabulary)) < 0.4
        flags[np.arange(len(labels)), labels] = True
        return flags

    never = lambda x, flags: torch.where(flags, x, torch.tensor(-1e30, dtype=x.dtype))
    # As its softmax: the logits that are left out are too large for differences.
    case("onlyKept", lambda x, flags: never(x, flags).softmax(-1), [normal(rows, vocabulary), among(rng.integers(0, vocabulary, rows))], dims={0: ["n", vocabulary], 1: ["n", vocabulary]})
    for pieces in [[6], [2, 4]]:
        labels = rng.integers(0, vocabulary, rows)
        cuts = np.cumsum(pieces)[:-1]
        fn = lambda h, e, *rest: torch.log_softmax(never(h @ e.T, torch.cat(rest[len(pieces):])), -1).gather(1, torch.cat(rest[:len(pieces)])[:, None].long())[:, 0]
        inputs = [normal(rows, hidden), normal(vocabulary, hidden), *[ints(p) for p in np.split(labels, cuts)], *np.split(among(labels), cuts)]
        case("tokenLogProbs", fn, inputs, f"pieces {pieces}, kept", {"stored": "float32", "kept": True}, frozen=(1,))


def points():
    """Unary functions where float32 is in danger."""
    extremes = [-88, -50, -30, -20, -17, -10, -1e-3, -1e-7, 0, 1e-7, 1e-3, 10, 17, 20, 30, 50, 88]
    functions = {
        "silu": (F.silu, extremes), "geluTanh": (lambda x: F.gelu(x, approximate="tanh"), extremes), "softplus": (lambda x: F.softplus(x, threshold=1e9), extremes),
        "logSigmoid": (F.logsigmoid, extremes), "sigmoid": (torch.sigmoid, extremes), "tanh": (torch.tanh, extremes),
        "log1mexp": (lambda x: torch.log(-torch.expm1(x)), [-1e-6, -2e-6, -1e-5, -1e-4, -1e-3, -0.01, -0.1, -0.3, -0.6931472, -1, -2, -5, -8, -10, -15, -17, -20, -30, -50]),
    }
    result = {}
    for name, (fn, at) in functions.items():
        x = torch.tensor(np.float32(at), dtype=torch.float64, requires_grad=True)
        y = fn(x)
        (d,) = torch.autograd.grad(y.sum(), x)
        result[name] = {"x": digits(x.detach()), "y": digits(y.detach()), "derivative": digits(d)}
    return result


def adamw():
    n, limit = 7, 1.0
    start = normal(n)
    rates = [1e-2 * (1 - t / 25) for t in range(20)]
    # Their norms lie on both sides of the limit.
    gradients = [normal(n, scale=0.1 if t % 3 == 0 else 2.0) for t in range(20)]
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.AdamW([p], lr=rates[0], betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1)
    steps = []
    for rate, g in zip(rates, gradients):
        optimizer.param_groups[0]["lr"] = rate
        p.grad = torch.tensor(g, dtype=torch.float64)
        norm = torch.nn.utils.clip_grad_norm_([p], limit)
        optimizer.step()
        state = optimizer.state[p]
        steps.append({"learningRate": rate, "gradients": digits(g), "norm": float(f"{norm:.9g}"), "parameters": digits(p.detach()), "m": digits(state["exp_avg"]), "v": digits(state["exp_avg_sq"])})
    return {"betas": [0.9, 0.98], "epsilon": 1e-6, "weightDecay": 0.1, "limit": limit, "parameters": digits(start), "steps": steps}


def write(name, value):
    (OUT / name).write_text(json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for section in (elementwise, products, reductions, shapes, model):
        section()
    optimizer = adamw()
    order()  # last, and after it what came later: the numbers that the others draw stay as they were
    partial_rope()
    kept()
    OUT.mkdir(parents=True, exist_ok=True)
    body = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in cases)
    (OUT / "ops.json").write_text('{"cases":[\n' + body + '\n],"points":' + json.dumps(points(), separators=(",", ":")) + "}\n")
    write("adamw.json", optimizer)
    print(f"{len(cases)} cases")
