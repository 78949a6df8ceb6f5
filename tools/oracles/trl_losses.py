"""What TRL computes: the fixtures of packages/heed/test/fixtures/trl (its README.md describes them).

    python tools/oracles/trl_losses.py

Needs what requirements.txt pins (TRL 1.16.0). BCO left TRL after 1.13.0, so that its entries come from that version, which the script
installs into a temporary folder and runs itself with.

How the values are meant to be used. Log-probabilities of rows in, loss and d loss / d (log-probability of a sequence) out: a method's
test feeds `logp` and `reference` of an entry to its loss and expects `loss` and `dLoss`; no model is needed. A test of the whole path
loads the model (../model/llama3) and the adapter (../model/peft/list, the policy; switched off it is the reference), feeds the token
ids of batch.json, and expects the same and `gradient`.

Every number comes from the real trainer: its constructor, its own preparation of the data set (with a tokenizer whose words are t0, t1,
…, and checks that the token ids come out as we meant), its collator, its compute_loss, and backward. Derivatives by log-probability
are read off with a hook on the model's output. Weights are 64-bit; transformers rounds norms and rope to 32 bits, and TRL here and
there more (see `notes`).
"""
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.update(TOKENIZERS_PARALLELISM="false", TQDM_DISABLE="1", HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1")  # nothing is fetched, nothing chats
warnings.filterwarnings("ignore")

import datasets
import peft
import tokenizers
import torch
import transformers
import trl
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedTokenizerFast

FIXTURES = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures"
OUT, MODEL = FIXTURES / "trl", FIXTURES / "model"
BCO_TRL = "1.13.0"
VOCABULARY, PAD, EOS = 320, 0, 2
SCRATCH = tempfile.TemporaryDirectory()


# --- the batch ---------------------------------------------------------------------------------------------------------------------

def ids(seed, n):
    """n arbitrary tokens, none of them special."""
    return [3 + (seed * 97 + i * i * 31 + i * 17) % (VOCABULARY - 3) for i in range(n)]


# Chosen so that AOT's two orders differ, that the hinge is flat for one pair and one pair is ranked wrongly, and that the KL estimate
# of KTO is positive for `a` and `c` and clamped for `b`.
PAIRS = [{"prompt": ids(53 + k, p), "chosen": ids(93 + k, c) + [EOS], "rejected": ids(123 + k, r) + [EOS]}
         for k, (p, c, r) in enumerate([(6, 4, 3), (3, 1, 2), (9, 7, 6), (1, 4, 4)])]
MARGINS = [1.0, 0.0, 0.5, 2.0]
HEAD = [round(0.5 * math.sin(j + 1), 6) for j in range(32)]


def unpaired(labels):
    """The chosen completion of a row under the label true, the rejected one under false."""
    rows = [{"prompt": row["prompt"], "completion": row["chosen" if label else "rejected"], "label": label} for row, label in zip(PAIRS, labels)]
    # As KTOTrainer makes them: the completions rotated by one inside the batch.
    return [{**row, "mismatched": rows[i - 1]["completion"]} for i, row in enumerate(rows)]


# Three conversations, as turns of one role and the other; an assistant's ends with the end token. The second begins with a system's turn.
CONVERSATIONS = [[(role, ids(211 + 7 * k + i, n) + ([EOS] if role == "assistant" else [])) for i, (role, n) in enumerate(turns)] for k, turns in enumerate([
    [("user", 4), ("assistant", 3), ("user", 2), ("assistant", 5)],
    [("system", 3), ("user", 2), ("assistant", 6), ("user", 1), ("assistant", 1), ("user", 3), ("assistant", 2)],
    [("user", 7), ("assistant", 4)],
])]


def sequence(turns):
    """A conversation as Heed scores it: a prompt up to the first assistant's turn, and all that follows, of which the assistant's tokens are supervised."""
    first = [role for role, _ in turns].index("assistant")
    rest = [(token, role == "assistant") for role, tokens in turns[first:] for token in tokens]
    return {"prompt": [t for _, tokens in turns[:first] for t in tokens], "response": [t for t, _ in rest], "supervised": [s for _, s in rest]}


UNPAIRED = {"a": unpaired([True, False, True, False]), "b": unpaired([False, True, False, True]), "c": unpaired([True, False, False, False])}


# --- model, adapter, tokenizer, trainers ---------------------------------------------------------------------------------------------

def word(i):
    return {PAD: "<pad>", EOS: "<eos>"}.get(i, f"t{i}")


def tokenizer(template=None):
    words = {word(i): i for i in range(VOCABULARY)} | {"<unk>": VOCABULARY}  # the last is never met
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=word(EOS), pad_token=word(PAD), unk_token="<unk>", chat_template=template)


def text(tokens, lead=False):
    return (" " if lead else "") + " ".join(map(word, tokens))


def trained(model):
    return {name.replace(".default", ""): p for name, p in model.named_parameters() if p.requires_grad}


def load_adapter(model):
    """A and B of ../model/peft/list, into the adapter that the trainer has just made."""
    saved = load_file(MODEL / "peft/list/adapter_model.safetensors")
    own = {name: p for name, p in trained(model).items() if "lora_" in name}
    assert sorted(own) == sorted(saved), "the adapter's parameters are not those of the fixture"
    with torch.no_grad():
        for name, p in own.items():
            p.copy_(saved[name])


def lora(task="CAUSAL_LM"):
    config = json.loads((MODEL / "peft/list/adapter_config.json").read_text())
    return peft.LoraConfig(task_type=task, r=config["r"], lora_alpha=config["lora_alpha"], target_modules=config["target_modules"], lora_dropout=0.0)


def common(**options):
    return dict(output_dir=SCRATCH.name, report_to="none", use_cpu=True, bf16=False, gradient_checkpointing=False,
                per_device_train_batch_size=4, max_length=512, **options)


def language_model():
    return AutoModelForCausalLM.from_pretrained(MODEL / "llama3", dtype=torch.float64)


def build(trainer, config, rows, model=None, task="CAUSAL_LM", template=None):
    built = trainer(model=model or language_model(), args=config, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer(template), peft_config=lora(task))
    load_adapter(built.model)
    built.model.train()
    return built


def collate(trainer, rows=None):
    return trainer.data_collator(list(rows or trainer.train_dataset))


class Capture:
    """Keeps every output of the model, in order, with the derivatives of its log-probabilities, logits or scores."""

    def __init__(self, model, field):
        self.field, self.outputs = field, []
        self.handle = model.register_forward_hook(self)

    def __call__(self, _module, _inputs, output):
        value = getattr(output, self.field)
        if value.requires_grad:
            value.retain_grad()
        self.outputs.append(value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.handle.remove()


# --- what is written -----------------------------------------------------------------------------------------------------------------

def digits(values):
    """Nine digits, more than 32-bit floats hold."""
    if isinstance(values, torch.Tensor):
        values = values.detach().double().tolist()
    if isinstance(values, (list, tuple)):
        return [digits(v) for v in values]
    return float(f"{values:.9g}")


def parameter_names(model):
    return sorted(name for name in trained(model) if "lora_" in name)


def probe(n):
    """The fixed vector that a gradient is multiplied with."""
    return torch.sin(torch.arange(1, n + 1, dtype=torch.float64))


def gradient(model):
    """For every parameter in the order of batch.json: its norm, its product with the probe, its first and its last number."""
    own = trained(model)
    grads = [own[name].grad.flatten().double() for name in parameter_names(model)]
    whole = torch.cat(grads)
    assert whole.norm() > 0
    return {"norm": digits(whole.norm()), "norms": digits([g.norm().item() for g in grads]),
            "dots": digits([(g @ probe(len(g))).item() for g in grads]), "ends": digits([[g[0].item(), g[-1].item()] for g in grads])}


def constant(values):
    """A sequence's tokens all have the same derivative in the losses here; that one number."""
    assert (values - values[0]).abs().max() <= 1e-6 * values.abs().max() + 1e-12, values
    return values[0].item()


def token_logps(logits, labels):
    """Log-probabilities of the labels, and their derivatives from those of the logits: ∂log p(y)/∂z(y) = 1 − p(y), and no other token's
    log-probability in the loss reads this position."""
    logp = logits[:, :-1].detach().log_softmax(-1)
    labels = labels[:, 1:]
    index = labels.clamp(min=0)[..., None]
    logp_y = logp.gather(-1, index)[..., 0]
    if logits.grad is None:
        return logp_y, None
    return logp_y, logits.grad[:, :-1].gather(-1, index)[..., 0] / (1 - logp_y.exp())


def by_row(values, mask, reduce):
    return [reduce(v[m.bool()]) for v, m in zip(values, mask)]


def total(values):
    return values.sum().item()


def write(name, entries, **more):
    path = OUT / f"{name}.json"
    head = {"trl": trl.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "torch": torch.__version__.split("+")[0], **more}
    body = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in entries)
    path.write_text(json.dumps(head, ensure_ascii=False)[:-1] + f', "entries": [\n{body}\n]}}\n')
    for entry in entries:
        print(f"{name:7} {entry['name']:32} {entry['loss']:.9f}")


def pair_columns(values):
    return {"chosen": digits(values[:len(values) // 2]), "rejected": digits(values[len(values) // 2:])}


# --- DPO -----------------------------------------------------------------------------------------------------------------------------

SUM = "Sequence log-probabilities are sums over the completion's tokens. Mean over the pairs of the batch."
DPO = [
    ("sigmoid", {}, SUM),
    ("sigmoid-beta-0.5", {"loss_type": "sigmoid", "beta": 0.5}, SUM),
    ("sigmoid-smoothing-ignored", {"loss_type": "sigmoid", "label_smoothing": 0.1}, SUM + " TRL 1.16 ignores label_smoothing here, without a word: the entry equals `sigmoid`. For conservative DPO see `cdpo`."),
    ("robust", {"label_smoothing": 0.1}, SUM + " Divided by 1 − 2ε."),
    ("hinge", {}, SUM),
    ("ipo", {}, "Each sequence's log-ratio is divided by its number of completion tokens before the squared distance to 1/(2β). Mean over the pairs. dLoss is by the summed log-probability."),
    ("sigmoid_norm", {}, "Each sequence's log-ratio is divided by its number of completion tokens. Mean over the pairs. dLoss is by the summed log-probability."),
    ("exo_pair", {"label_smoothing": 0.001}, SUM),
    ("nca_pair", {}, SUM),
    ("bco_pair", {}, SUM + " No running mean: δ = 0."),
    ("sppo_hard", {}, SUM),
    ("apo_zero", {}, SUM),
    ("apo_down", {}, SUM),
    ("discopop", {}, SUM + " discopop_tau 0.05."),
    ("aot", {}, SUM + " Policy log-ratios (chosen − rejected) and reference log-ratios are sorted within the batch, each by itself, ascending."),
    ("aot-smoothing", {"loss_type": "aot", "label_smoothing": 0.1}, "As `aot`."),
    ("aot_unpaired", {}, SUM + " Chosen log-ratios and rejected log-ratios are sorted within the batch, each by itself, ascending."),
    ("sft", {}, "Mean over all completion tokens of the chosen sequences in the batch, not over sequences."),
]


def dpo():
    from trl import DPOConfig, DPOTrainer
    rows = [{"prompt": text(r["prompt"]), "chosen": text(r["chosen"], True), "rejected": text(r["rejected"], True)} for r in PAIRS]

    def run(parts, options):
        trainer = build(DPOTrainer, DPOConfig(**common(**options)), rows)
        prepared = list(trainer.train_dataset)
        assert [[r["prompt_ids"], r["chosen_ids"], r["rejected_ids"]] for r in prepared] == [[r["prompt"], r["chosen"], r["rejected"]] for r in PAIRS]
        n, loss, columns = len(prepared), 0.0, {"logp": [0.0] * 8, "reference": [0.0] * 8, "dLoss": [0.0] * 8}
        for part in parts:
            inputs = collate(trainer, [prepared[i] for i in part])
            mask = inputs["completion_mask"][:, 1:]
            with Capture(trainer.model, "log_probs") as seen:
                value = trainer.compute_loss(trainer.model, inputs) * len(part) / n
                value.backward()
            policy, reference = seen.outputs
            at = [*part, *(n + i for i in part)]
            for column, values in (("logp", by_row(policy, mask, total)), ("reference", by_row(reference, mask, total)), ("dLoss", by_row(policy.grad, mask, constant))):
                for i, v in zip(at, values):
                    columns[column][i] = v
            loss += value.item()
        return {"loss": digits(loss), **{k: pair_columns(v) for k, v in columns.items()}, "gradient": gradient(trainer.model)}

    whole = [list(range(4))]
    entries = []
    for name, options, notes in DPO:
        options = {"loss_type": name, "beta": 0.1, **options}
        entries.append({"name": name, "trainer": "DPOTrainer", "options": options, "batch": "pairs", **run(whole, options), "notes": notes})
    options = {"loss_type": "aot", "beta": 0.1, "label_smoothing": 0.1}
    entries.append({"name": "cdpo", "trainer": "DPOTrainer", "options": options, "batch": "pairs", **run([[0], [1], [2], [3]], options),
                    "notes": "Conservative DPO, −(1−ε) log σ(βΔ) − ε log σ(−βΔ): TRL's `sigmoid` has lost it, but `aot` on a single pair has nothing to sort and is it. "
                             "Four batches of one pair, averaged."})
    write("dpo", entries)
    return entries


# --- KTO and BCO ---------------------------------------------------------------------------------------------------------------------

KTO = [
    ("kto-a", {}, "a", "KL positive."),
    ("kto-b", {}, "b", "The KL estimate is negative and taken as 0."),
    ("kto-c-weights", {"desirable_weight": 1.5, "undesirable_weight": 0.5}, "c", "The weights multiply a row's loss; the mean is over the rows, not over the weights."),
    ("kto-a-beta-0.5", {"beta": 0.5}, "a", "KL positive."),
    ("apo_zero_unpaired-a", {"loss_type": "apo_zero_unpaired"}, "a", "No KL."),
]


def unpaired_rows(rows):
    return [{"prompt": text(r["prompt"]), "completion": text(r["completion"], True), "label": r["label"]} for r in rows]


def kto():
    from trl import KTOConfig, KTOTrainer
    entries = []
    for name, options, part, notes in KTO:
        options = {"loss_type": "kto", "beta": 0.1, **options}
        rows = UNPAIRED[part]
        trainer = build(KTOTrainer, KTOConfig(**common(**options)), unpaired_rows(rows))
        prepared = list(trainer.train_dataset)
        with_kl = options["loss_type"] == "kto"
        assert [[r["prompt_ids"], r["completion_ids"], r["label"]] for r in prepared] == [[r["prompt"], r["completion"], r["label"]] for r in rows]
        assert not with_kl or [r["KL_completion_ids"] for r in prepared] == [r["mismatched"] for r in rows]
        inputs = collate(trainer, prepared)
        mask = inputs["completion_mask"][:, 1:]
        with Capture(trainer.model, "log_probs") as seen:
            loss = trainer.compute_loss(trainer.model, inputs)
            loss.backward()
        kl_policy, policy, kl_reference, reference = seen.outputs if with_kl else (None, seen.outputs[0], None, seen.outputs[1])
        entry = {"name": name, "trainer": "KTOTrainer", "options": options, "batch": f"unpaired.{part}", "loss": digits(loss),
                 "logp": {"completion": digits(by_row(policy, mask, total))}, "reference": {"completion": digits(by_row(reference, mask, total))},
                 "dLoss": {"completion": digits(by_row(policy.grad, mask, constant))}}
        if with_kl:
            kl_mask = inputs["KL_completion_mask"][:, 1:]
            entry["logp"]["mismatched"] = digits(by_row(kl_policy, kl_mask, total))
            entry["reference"]["mismatched"] = digits(by_row(kl_reference, kl_mask, total))
            entry["kl"] = digits(trainer._metrics["train"]["kl"][-1])
        entries.append({**entry, "gradient": gradient(trainer.model),
                        "notes": "Mean over the rows of the batch, of both labels together. The KL estimate is the mean over the batch of policy minus reference "
                                 "log-probability (sums) of the mismatched completions, at least 0, without gradient. " + notes})
    write("kto", entries)


def bco():
    """Two steps with the same weights; the running mean goes on from the first to the second."""
    from trl.experimental.bco import BCOConfig, BCOTrainer
    trainer = build(BCOTrainer, BCOConfig(**common(beta=0.1)), unpaired_rows(UNPAIRED["a"] + UNPAIRED["b"]))
    entries = []
    for step, (part, rows) in enumerate(zip("ab", (list(trainer.train_dataset)[:4], list(trainer.train_dataset)[4:]))):
        inputs = collate(trainer, rows)
        expected = [[*r["prompt"], *r["completion"]] for r in UNPAIRED[part]]
        assert [x[m.bool()].tolist() for x, m in zip(inputs["completion_input_ids"], inputs["completion_attention_mask"])] == expected
        labels = inputs["completion_labels"]
        mask = labels[:, 1:] != -100
        assert mask.sum(-1).tolist() == [len(r["completion"]) for r in UNPAIRED[part]] and inputs["label"] == [r["label"] for r in UNPAIRED[part]]
        trainer.model.zero_grad()
        with Capture(trainer.model, "logits") as seen:
            loss, metrics = trainer.compute_loss(trainer.model, inputs, return_outputs=True)
            loss.backward()
        policy, slopes = token_logps(seen.outputs[0], labels)
        reference, _ = token_logps(seen.outputs[1], labels)
        entries.append({"name": f"bco-step-{step + 1}", "trainer": "BCOTrainer", "options": {"beta": 0.1}, "batch": f"unpaired.{part}", "loss": digits(loss),
                        "logp": {"completion": digits(by_row(policy, mask, total))}, "reference": {"completion": digits(by_row(reference, mask, total))},
                        "delta": digits(metrics["delta"]), "count": round(trainer.running.count),
                        "dLoss": {"completion": digits(by_row(slopes, mask, constant))}, "gradient": gradient(trainer.model),
                        "notes": "Mean over the rows of the batch, of both labels together. δ is the mean of β·(log-ratio) over all rows seen so far, this batch included: it is updated before the "
                                 "loss is taken, and carries no gradient. It starts empty. No density-ratio weights. `delta` and `count` are those after this step. The weights are the same in both steps."})
    write("bco", entries)


def bco_apart():
    folder = Path(SCRATCH.name) / "trl-bco"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", "--target", folder, f"trl=={BCO_TRL}"], check=True)
    subprocess.run([sys.executable, __file__, "bco"], check=True, env={**os.environ, "PYTHONPATH": str(folder)})


# --- CPO and ORPO ----------------------------------------------------------------------------------------------------------------------

NLL = " The likelihood term is the mean over all completion tokens of the chosen sequences in the batch (not over sequences)"
CPO_SUM = "Sequence log-probabilities are sums. Mean over the pairs."
CPO_MEAN = "Sequence log-probabilities are means over the completion's tokens; dLoss is nevertheless by their sum. Mean over the pairs."
CPO = [
    ("cpo-sigmoid", {}, CPO_SUM + NLL + ", times cpo_alpha 1."),
    ("cpo-sigmoid-alpha-0", {"cpo_alpha": 0.0}, CPO_SUM),
    ("cpo-sigmoid-smoothing", {"cpo_alpha": 0.5, "label_smoothing": 0.1}, CPO_SUM + NLL + ", times cpo_alpha 0.5."),
    ("cpo-hinge", {"loss_type": "hinge"}, CPO_SUM + NLL + ", times cpo_alpha 1."),
    ("cpo-ipo", {"loss_type": "ipo"}, CPO_MEAN + NLL + ", times cpo_alpha 1."),
    ("cpo-ipo-alpha-0", {"loss_type": "ipo", "cpo_alpha": 0.0}, CPO_MEAN),
    ("simpo", {"loss_type": "simpo", "cpo_alpha": 0.0, "beta": 2.0, "simpo_gamma": 0.5}, CPO_MEAN + " The margin γ is inside the sigmoid, not multiplied with β: TRL subtracts γ/β before multiplying."),
    ("simpo-smoothing", {"loss_type": "simpo", "cpo_alpha": 0.0, "beta": 2.5, "simpo_gamma": 1.25, "label_smoothing": 0.1}, CPO_MEAN + " γ as in `simpo`."),
    ("cpo-simpo", {"loss_type": "simpo", "cpo_alpha": 1.0, "beta": 2.0, "simpo_gamma": 0.5}, CPO_MEAN + NLL + ", times cpo_alpha 1. TRL's default cpo_alpha: without setting it to 0 one does not get SimPO."),
]
ORPO = ("Odds from the means over the completion's tokens (in 32 bits). The likelihood term is the mean over ALL tokens of the chosen sequences in the batch but the first of each, the prompt's "
        "too: `promptLogp` are the sums over the prompt's tokens 2, 3, …, and `dLoss.chosenPrompt` the derivative by each of these tokens' log-probabilities, as by their sum. dLoss is by sums.")


def pair_trainer(trainer_class, config_class, options):
    rows = [{"prompt": text(r["prompt"]), "chosen": text(r["chosen"], True), "rejected": text(r["rejected"], True)} for r in PAIRS]
    return build(trainer_class, config_class(**common(**options)), rows)


def without_reference(trainer_class, config_class, options):
    trainer = pair_trainer(trainer_class, config_class, options)
    inputs = collate(trainer)
    batch = trainer.concatenated_inputs(inputs, padding_value=PAD)
    tokens, seen_mask, labels = (batch[f"concatenated_{k}"] for k in ("input_ids", "attention_mask", "labels"))
    sequences = [[*r["prompt"], *r[k]] for k in ("chosen", "rejected") for r in PAIRS]
    assert [x[m.bool()].tolist() for x, m in zip(tokens, seen_mask)] == sequences
    mask = labels[:, 1:] != -100
    assert mask.sum(-1).tolist() == [len(r[k]) for k in ("chosen", "rejected") for r in PAIRS]
    with Capture(trainer.model, "logits") as seen:
        loss, metrics = trainer.compute_loss(trainer.model, inputs, return_outputs=True)
        loss.backward()
    (logits,) = seen.outputs
    logps, slopes = token_logps(logits, tokens)
    prompt = seen_mask[:, 1:].bool() & ~mask
    nll = metrics["nll_loss"]
    entry = {"loss": digits(loss), "nll": digits(nll), "logp": pair_columns(by_row(logps, mask, total)), "dLoss": pair_columns(by_row(slopes, mask, constant)),
             "gradient": gradient(trainer.model)}
    return entry, by_row(logps, prompt, total)[:4], by_row(slopes, prompt, lambda v: constant(v) if len(v) else 0.0)[:4], trainer, metrics


def cpo():
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    entries = []
    for name, options, notes in CPO:
        options = {"loss_type": "sigmoid", "beta": 0.1, "cpo_alpha": 1.0, **options}
        entry, _, prompt, *_ = without_reference(CPOTrainer, CPOConfig, options)
        assert not any(prompt), "a prompt's tokens are learnt from"
        entries.append({"name": name, "trainer": "CPOTrainer", "options": options, "batch": "pairs", **entry, "notes": notes})
    write("cpo", entries)


def orpo():
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer
    entries = []
    for beta in (0.1, 1.0):
        entry, promptLogp, prompt, _, metrics = without_reference(ORPOTrainer, ORPOConfig, {"beta": beta})
        entry["dLoss"]["chosenPrompt"] = digits(prompt)
        entries.append({"name": f"orpo-beta-{beta}", "trainer": "ORPOTrainer", "options": {"beta": beta}, "batch": "pairs", **entry,
                        "promptLogp": {"chosen": digits(promptLogp)}, "logOddsRatio": digits(metrics["log_odds_ratio"]), "notes": ORPO})
    # The odds alone: loss − nll, its derivatives by way of the trainer's own odds_ratio_loss on the means.
    for beta in (0.1, 1.0):
        entry, _, _, trainer, _ = without_reference(ORPOTrainer, ORPOConfig, {"beta": beta})
        lengths = torch.tensor([len(r[k]) for k in ("chosen", "rejected") for r in PAIRS])
        sums = torch.tensor(entry["logp"]["chosen"] + entry["logp"]["rejected"], dtype=torch.float64, requires_grad=True)
        means = sums / lengths
        losses, *_ = trainer.odds_ratio_loss(means[:4], means[4:])
        loss = -losses.mean()
        loss.backward()
        entries.append({"name": f"orpo-odds-beta-{beta}", "trainer": "ORPOTrainer.odds_ratio_loss", "options": {"beta": beta}, "batch": "pairs", "loss": digits(loss),
                        "logp": entry["logp"], "dLoss": pair_columns(sums.grad.tolist()), "notes": "The odds term alone: −mean of odds_ratio_loss, without the likelihood term. The trainer's function on the log-probabilities; no gradient by parameters."})
    # The paper's likelihood term: the trainer's own means over the completions' tokens in the place of its mean over all tokens.
    for beta in (0.1, 1.0):
        trainer = pair_trainer(ORPOTrainer, ORPOConfig, {"beta": beta})
        chosen, rejected, *_ = trainer.concatenated_forward(trainer.model, collate(trainer))
        losses, *_ = trainer.odds_ratio_loss(chosen, rejected)
        loss = -chosen.mean() - losses.mean()
        loss.backward()
        entries.append({"name": f"orpo-response-beta-{beta}", "trainer": "ORPOTrainer.concatenated_forward and .odds_ratio_loss", "options": {"beta": beta}, "batch": "pairs",
                        "loss": digits(loss), "gradient": gradient(trainer.model),
                        "notes": "As the paper has it: the likelihood term is the mean over the pairs of the chosen completion's mean (what concatenated_forward gives), without the prompt."})
    write("orpo", entries)


# --- SFT -------------------------------------------------------------------------------------------------------------------------------

# Turns one behind the other; the end token is the assistant's own, and supervised.
TEMPLATE = ("{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content + ' ' + eos_token }}{% endgeneration %}"
            "{% else %}{{ m.content }}{% endif %}{{ ' ' }}{% endfor %}")


def sft():
    from trl import SFTConfig, SFTTrainer
    entries = []
    conversations = [{"messages": [{"role": role, "content": text([t for t in tokens if t != EOS])} for role, tokens in turns]} for turns in CONVERSATIONS]
    completions = [{"prompt": text(r["prompt"]), "completion": text(r["chosen"], True)} for r in PAIRS]
    for name, part, rows, expected, options, notes in [
        ("sft-conversations", "conversations", conversations, [sequence(turns) for turns in CONVERSATIONS], {"assistant_only_loss": True},
         "Every assistant turn with its end token is supervised, nothing else is."),
        ("sft-completions", "pairs", completions, [{"prompt": r["prompt"], "response": r["chosen"], "supervised": [True] * len(r["chosen"])} for r in PAIRS], {},
         "The chosen completions of the pairs."),
    ]:
        trainer = build(SFTTrainer, SFTConfig(**common(**options)), rows, template=TEMPLATE)
        inputs = collate(trainer)
        labels, seen_mask = inputs["labels"], inputs["attention_mask"].bool()
        assert [x[m].tolist() for x, m in zip(inputs["input_ids"], seen_mask)] == [r["prompt"] + r["response"] for r in expected]
        assert [(x[m] != -100).tolist() for x, m in zip(labels, seen_mask)] == [[False] * len(r["prompt"]) + r["supervised"] for r in expected]
        mask = labels[:, 1:] != -100
        with Capture(trainer.model, "log_probs") as seen:
            loss = trainer.compute_loss(trainer.model, inputs)
            loss.backward()
        (logps,) = seen.outputs
        entries.append({"name": name, "trainer": "SFTTrainer", "options": options, "batch": part, "loss": digits(loss),
                        "logp": {"turns": digits(by_row(logps, mask, total))}, "dLoss": {"turns": digits(by_row(logps.grad, mask, constant))},
                        "gradient": gradient(trainer.model), "notes": "Mean over all supervised tokens of the batch, not over rows. " + notes})
    write("sft", entries)


# --- reward model ----------------------------------------------------------------------------------------------------------------------

def reward():
    from trl import RewardConfig, RewardTrainer
    entries = []
    note = "The score is the head (no bias) on the last layer's normed state of the last token, here the end token. Mean over the pairs."
    for name, margin, options, notes in [
        ("reward", False, {}, ""),
        ("reward-margin", True, {}, " The margin is subtracted inside the sigmoid."),
        ("reward-centred", False, {"center_rewards_coefficient": 0.01}, " Plus coefficient × mean of (chosen + rejected)²."),
        ("reward-margin-centred", True, {"center_rewards_coefficient": 0.1}, " Margin and centring as in the entries before."),
    ]:
        model = AutoModelForSequenceClassification.from_pretrained(MODEL / "llama3", num_labels=1, dtype=torch.float64)
        rows = [{"chosen": text(r["prompt"] + r["chosen"]), "rejected": text(r["prompt"] + r["rejected"]), **({"margin": m} if margin else {})} for r, m in zip(PAIRS, MARGINS)]
        trainer = build(RewardTrainer, RewardConfig(**common(**options)), rows, model, "SEQ_CLS")
        (head,) = [p for n, p in trainer.model.named_parameters() if "score" in n and p.requires_grad]
        with torch.no_grad():
            head.copy_(torch.tensor([HEAD]))
        inputs = collate(trainer)
        expected = [[*r["prompt"], *r[k]] for k in ("chosen", "rejected") for r in PAIRS]
        assert [x[m.bool()].tolist() for x, m in zip(inputs["input_ids"], inputs["attention_mask"])] == expected
        with Capture(trainer.model, "logits") as seen:
            loss = trainer.compute_loss(trainer.model, inputs)
            loss.backward()
        (scores,) = seen.outputs
        entries.append({"name": name, "trainer": "RewardTrainer", "options": {**options, **({"margins": MARGINS} if margin else {})}, "batch": "pairs", "loss": digits(loss),
                        "score": pair_columns(scores.flatten().tolist()), "dLoss": pair_columns(scores.grad.flatten().tolist()),
                        "gradient": gradient(trainer.model), "headGradient": digits(head.grad.flatten()), "notes": note + notes})
    write("reward", entries)


# --- the batch, as all entries share it ------------------------------------------------------------------------------------------------

def batch():
    model = peft.get_peft_model(language_model(), lora())
    load_adapter(model)
    names = parameter_names(model)
    out = {
        "model": "../model/llama3", "adapter": "../model/peft/list", "reference": "the adapter switched off", "pad": PAD, "eos": EOS,
        "pairs": PAIRS, "unpaired": UNPAIRED, "conversations": [sequence(turns) for turns in CONVERSATIONS], "margins": MARGINS, "scoreHead": HEAD,
        "parameters": [{"name": n, "shape": list(trained(model)[n].shape)} for n in names],
        "gradient": {"probe": "sin(i + 1) for the i-th number of the flat parameter", "order": "parameters, as above"},
    }
    (OUT / "batch.json").write_text("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}\n")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    if sys.argv[1:] == ["bco"]:
        assert trl.__version__ == BCO_TRL, f"TRL {BCO_TRL} is meant, not {trl.__version__}"
        return bco()
    assert trl.__version__.startswith("1.16."), f"TRL 1.16 is meant, not {trl.__version__}: pip install -r requirements.txt"
    batch()
    dpo()
    kto()
    cpo()
    orpo()
    sft()
    reward()
    bco_apart()


if __name__ == "__main__":
    main()
