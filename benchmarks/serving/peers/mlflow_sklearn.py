"""Save the pipeline as an MLflow model: `python mlflow_sklearn.py FOLDER`, for `models serve`."""

import sys

import common
import mlflow.sklearn

mlflow.sklearn.save_model(
    common.pipeline(),
    sys.argv[1],
    pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle",
)
