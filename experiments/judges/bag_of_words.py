"""What counting words does on the same rows: the baseline that a taught judge has to beat.

usage: bag_of_words.py TRAIN TEST   (JSONL of {group, text, yes}). Prints {"model", "trainedOn", "crossValidated", "says": [bool per test row]}.

Multinomial naive Bayes and logistic regression, over words and over words with pairs of words; which of them is decided by five-fold cross-validation of
balanced accuracy on the training rows, whole groups held out.
"""

import json
import sys

import sklearn
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

WORDS = r"[\w']+"
CANDIDATES = {
    f"{name}, {grams}": make_pipeline(CountVectorizer(token_pattern=WORDS, ngram_range=(1, n)), model)
    for grams, n in (("words", 1), ("words and pairs", 2))
    for name, model in (("naive Bayes", MultinomialNB()), ("logistic regression", LogisticRegression(max_iter=1000)))
}


def read(path):
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["yes"] for row in rows], [row["group"] for row in rows]


def main():
    texts, labels, groups = read(sys.argv[1])
    tested, _, _ = read(sys.argv[2])
    scores = {
        name: cross_val_score(model, texts, labels, groups=groups, cv=GroupKFold(5), scoring="balanced_accuracy").mean() for name, model in CANDIDATES.items()
    }
    best = max(scores, key=scores.get)
    says = CANDIDATES[best].fit(texts, labels).predict(tested)
    print(json.dumps({"model": best, "crossValidated": scores, "library": f"scikit-learn {sklearn.__version__}", "says": [bool(x) for x in says]}))


main()
