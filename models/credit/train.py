"""How the credit model is built. Everything else (data, split, export, proof) is the platform's."""

from collections.abc import Mapping

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from boringml.contract.features import Features


def build_pipeline(
    features: Features, parameters: Mapping[str, str | int | float], seed: int
) -> Pipeline:
    """Return the pipeline to fit: boosted shallow trees over raw numbers and one-hot categories.

    Numbers are not scaled: trees do not need it, and the export stays exact without it.
    Categories come from the contract, not from the data, so that a state without a loan so far
    has its column.
    """
    encode = OneHotEncoder(
        categories=[list(features.categories[name]) for name in features.categorical],
        handle_unknown="ignore",
        sparse_output=False,
    )
    columns = ColumnTransformer(
        [
            ("numeric", "passthrough", features.numeric_columns),
            ("categorical", encode, features.categorical_columns),
        ]
    )
    model = GradientBoostingClassifier(random_state=seed, **parameters)
    return Pipeline([("columns", columns), ("model", model)])
