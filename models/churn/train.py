"""How the churn model is built. Everything else (data, split, export, proof) is the platform's."""

from collections.abc import Mapping

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from boringml.contract.features import Features


def build_pipeline(
    features: Features, parameters: Mapping[str, str | int | float], seed: int
) -> Pipeline:
    """Return the pipeline to fit: boosted shallow trees over numbers and one-hot categories.

    A missing number becomes 0: the only one is the sum of the bills of a customer who has had
    none. Numbers are not scaled: trees do not need it, and the export stays exact without it.
    """
    encode = OneHotEncoder(
        categories=[list(features.categories[name]) for name in features.categorical],
        handle_unknown="ignore",
        sparse_output=False,
    )
    columns = ColumnTransformer(
        [
            (
                "numeric",
                SimpleImputer(strategy="constant", fill_value=0.0),
                features.numeric_columns,
            ),
            ("categorical", encode, features.categorical_columns),
        ]
    )
    model = GradientBoostingClassifier(random_state=seed, **parameters)
    return Pipeline([("columns", columns), ("model", model)])
