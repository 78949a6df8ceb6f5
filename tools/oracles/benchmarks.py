"""What lm-evaluation-harness and rouge-score compute: the fixture of packages/heed/test/evaluate/benchmarks.real.test.ts and others.

    python tools/oracles/benchmarks.py FOLDER EXAMPLES

FOLDER is SmolLM2-135M-Instruct, as `heed models` shows it; EXAMPLES is examples/evaluate. Needs lm-eval and rouge-score.
Reads local files alone. Writes packages/heed/test/fixtures/evaluate/:
  lm_eval.json   for each task the log-likelihood of every choice and the metrics with their errors; for gsm8k the answers too
  numbers.json   what gsm8k's filters find in texts, and whether it is the right number
  rouge.json     ROUGE-L of pairs of texts
"""
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp()

import lm_eval  # noqa: E402
from lm_eval.api.metrics import exact_match_hf_evaluate  # noqa: E402
from lm_eval.api.task import ConfigurableTask  # noqa: E402
from lm_eval.filters.extraction import RegexFilter  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402
from rouge_score.rouge_scorer import RougeScorer  # noqa: E402

FOLDER, EXAMPLES = sys.argv[1], Path(sys.argv[2]).resolve()
OUT = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures/evaluate"
WORK = Path(tempfile.mkdtemp())
MANAGER = TaskManager()


def rows(name):
    return [json.loads(line) for line in (EXAMPLES / name).read_text().splitlines()]


def local(task, shots=0, name=None, more=None, **splits):
    """lm-eval's own task on rows that are given, with the first rows as shots."""
    files = {}
    for split, given in splits.items():
        path = WORK / f"{name or task}-{split}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in given))
        files[split] = str(path)
    config = MANAGER._factory._load_full_config(MANAGER._index[task], None)
    for key in ("tag", "group", "task_list"):
        config.pop(key, None)
    return ConfigurableTask(config={
        **config, "task": name or task, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files},
        "num_fewshot": shots, "fewshot_config": {"sampler": "first_n"}, **(more or {}),
    })


def letters(row):
    return {**row, "choices": {"text": row["choices"], "label": list("ABCDE")[: len(row["choices"])]}, "answerKey": row["answer"]}


def subject(name):
    described = f"The following are multiple choice questions (with answers) about {name.replace('_', ' ')}.\n\n"
    of = lambda file: [row for row in rows(file) if row["subject"] == name]
    return local("mmlu_anatomy", 2, f"mmlu_{name}", {"description": described}, test=of("subjects.jsonl"), dev=of("subjects-dev.jsonl"))


def run(tasks, **options):
    found = lm_eval.simple_evaluate(
        model="hf", model_args=f"pretrained={FOLDER},dtype=float32,device=cpu", tasks=tasks, batch_size=1, log_samples=True,
        bootstrap_iters=1000, verbosity="ERROR", **options,
    )
    return {
        name: {
            "metrics": {key: value for key, value in found["results"][name].items() if isinstance(value, float)},
            "items": [item(sample) for sample in sorted(samples, key=lambda one: one["doc_id"])
                      if sample["filter"] in ("none", "strict-match")],
        }
        for name, samples in found["samples"].items()
    }


def item(sample):
    asked = [tuple(one) for one in sample["arguments"]]
    replies = [reply[0] for reply in sample["resps"]]
    if isinstance(replies[0], str):
        return {"context": asked[0][0], "text": replies[0]}
    return {"context": asked[0][0], "choices": [choice for _, choice in asked], "logLikelihoods": [float(one) for one, _ in replies]}


arc = rows("questions.jsonl")
everyday = [letters(row) for row in rows("everyday.jsonl")]
UNTIL = ["Question:", "</s>", "<|im_end|>"]
sums = {split: [row for row in rows("sums.jsonl") if row["split"] == split] for split in ("test", "train")}
plain = run([
    subject("baking"), subject("rail_travel"),
    local("arc_easy", test=arc, train=arc, validation=arc),
    local("commonsense_qa", validation=everyday, train=everyday),
    local("hellaswag", validation=rows("endings.jsonl"), train=rows("endings.jsonl")),
    local("truthfulqa_mc1", validation=rows("myths.jsonl")),
    local("truthfulqa_mc2", validation=rows("myths.jsonl")),
    local("gsm8k", 2, None, {"generation_kwargs": {"until": UNTIL, "do_sample": False, "max_gen_toks": 64}}, **sums),
])
chat = run([subject("baking"), local("arc_easy", test=arc, train=arc, validation=arc)], apply_chat_template=True, fewshot_as_multiturn=True)
plain.update({f"{name}-chat": result for name, result in chat.items()})
OUT.mkdir(parents=True, exist_ok=True)
(OUT / "lm_eval.json").write_text(json.dumps(plain, indent=1) + "\n")

TEXTS = [
    "She has 3 left.\n#### 3", "#### 1,234.\n#### 5", "It costs $12.50 or so", "####7", "no number", "#### -4 and then 9",
    "about 2/3.", "#### $40", "the answer is 36.", "1 2 3", "#### 3,600", "so ... 8 of them, ok.", "$",
]
SUMS = ConfigurableTask(config={
    **{key: value for key, value in MANAGER._factory._load_full_config(MANAGER._index["gsm8k"], None).items() if key != "tag"},
    "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": {k: str(WORK / f"gsm8k-{k}.jsonl") for k in sums}},
}).config
IGNORED = {key: value for key, value in SUMS.metric_list[0].items() if key in ("ignore_case", "ignore_punctuation", "regexes_to_ignore")}


def number(text, gold):
    """What the filters of gsm8k.yaml find, and its metric."""
    found = {}
    for one in SUMS.filter_list:
        options = {key: value for key, value in one["filter"][0].items() if key != "function"}
        [[value]] = RegexFilter(**options).apply([[text]], [{}])
        right = exact_match_hf_evaluate(predictions=[value], references=[gold], **IGNORED)["exact_match"]
        found[one["name"]] = {"found": value, "right": float(right)}
    return {"text": text, "gold": gold, **found}


GOLD = ["#### 3", "so 1,234\n#### 1,234", "#### 36", "#### 3600", "#### 12.50"]
numbers = [number(text, gold) for text in TEXTS for gold in GOLD]
(OUT / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")

PAIRS = [
    ("the cat sat on the mat", "the cat is on the mat"), ("The cat's mat, 2nd floor!", "the cat s mat 2nd FLOOR"), ("", "something"),
    ("nothing alike", "other words"),
    ("one two three four", "four three two one"), ("a a a b", "a b a"), ("naïve café", "naive cafe"),
]
scorer = RougeScorer(["rougeL"], use_stemmer=False)
scored = [(answer, reference, scorer.score(reference, answer)["rougeL"]) for answer, reference in PAIRS]
(OUT / "rouge.json").write_text(json.dumps(
    [{"answer": a, "reference": r, "precision": s.precision, "recall": s.recall, "f": s.fmeasure} for a, r, s in scored], indent=1) + "\n")
