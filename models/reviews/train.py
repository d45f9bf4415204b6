"""How the reviews model is built. All else (data, split, export, proof) is the platform's."""

from collections.abc import Mapping

from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from boringml.contract.features import Features


def build_pipeline(
    features: Features, parameters: Mapping[str, str | int | float], seed: int
) -> Pipeline:
    """Return the pipeline to fit: logistic regression over TF-IDF of words and pairs of words.

    Pairs tell "not good" from "good". A word counts by the logarithm of how often it comes
    (sublinear), so a long review is not louder than a short one.
    """
    (text,) = features.text_columns
    words = TfidfVectorizer(
        ngram_range=(1, int(parameters["longest_ngram"])),
        sublinear_tf=True,
        min_df=int(parameters["min_reviews"]),
    )
    # A single column, not a list of one: a vectorizer takes a row of texts.
    columns = ColumnTransformer([("words", words, text)])
    model = LogisticRegression(C=float(parameters["C"]), max_iter=1000, random_state=seed)
    return Pipeline([("columns", columns), ("model", model)])
