"""What alpaca_eval computes as the length-controlled win rate, by its minimal formula: packages/heed/test/fixtures/evaluate/.

    python tools/oracles/length_controlled.py

Needs alpaca-eval. It asks the hub for the difficulty of AlpacaEval's own prompts, which the minimal formula does not use; here a table of zeros
stands in its place. Writes length_controlled.json: for each case the preferences, the lengths of both answers, and what comes out.
"""
import json
import logging
import random
import tempfile
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402
from alpaca_eval.metrics import glm_winrate  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "packages/heed/test/fixtures/evaluate"
ROWS = 400

zeros = Path(tempfile.mkdtemp()) / "df_gamed.csv"
pd.DataFrame({"index": range(ROWS), "model": "none", "instruction_difficulty": 0.0}).to_csv(zeros, index=False)
glm_winrate.hf_hub_download = lambda **_: str(zeros)
logging.disable(logging.CRITICAL)

fitted = []
fit = glm_winrate.fit_LogisticRegressionCV
glm_winrate.fit_LogisticRegressionCV = lambda *args, **kwargs: fitted.append(fit(*args, **kwargs)) or fitted[-1]


def case(name, n, seed, bias, skill, longer, verdicts):
    """Preferences (0 to 1, of the model) and lengths: the longer answer is preferred by `bias`, the model by `skill`."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        baseline = rng.randint(40, 400)
        model = max(1, int(baseline * longer + rng.gauss(0, 80)))
        p = 1 / (1 + pow(2.718281828, -(skill + bias * (model - baseline) / 100 + rng.gauss(0, 0.5))))
        rows.append((round(2 * p) / 2 if verdicts else round(p, 6), baseline, model))
    frame = pd.DataFrame([
        {"preference": 1 + p, "output_1": "x" * b, "output_2": "y" * m, "generator_1": "base", "generator_2": "model", "index": i, "annotator": "a"}
        for i, (p, b, m) in enumerate(rows)
    ])
    found = glm_winrate.get_length_controlled_winrate(
        frame, glm_name="length_controlled_minimal", save_weights_dir=None, is_add_glm_preference_inplace=False,
    )
    [(slope, intercept)] = fitted[-1].coef_.tolist()
    return {
        "name": name, "preferences": [p for p, _, _ in rows], "baseline": [b for _, b, _ in rows], "model": [m for _, _, m in rows],
        "win_rate": float(found["win_rate"]), "length_controlled_winrate": float(found["length_controlled_winrate"]),
        "lc_standard_error": float(found["lc_standard_error"]), "C": float(fitted[-1].C_[0]), "slope": slope, "intercept": intercept,
        "extreme": bool(glm_winrate.get_is_extreme_changes(found["win_rate"], found["length_controlled_winrate"])),
    }


CASES = [
    case("longer, and preferred for it", 100, 1, 1.5, 0.0, 1.5, False),
    case("verdicts with ties", 80, 2, 0.8, 0.3, 1.2, True),
    case("as long", 60, 3, 0.0, -0.5, 1.0, False),
    case("shorter and better", 120, 4, 1.0, 1.0, 0.7, False),
    case("much longer, extreme", 90, 5, 2.0, -1.0, 1.8, True),
    case("few", 15, 6, 0.5, 0.2, 1.1, True),
]
(OUT / "length_controlled.json").write_text(json.dumps(CASES, indent=1) + "\n")
