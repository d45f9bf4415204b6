"""LitServe before scikit-learn: `python litserve_sklearn.py PORT`."""

import sys
from typing import Any

import common
import litserve
import pandas as pd


class Credit(litserve.LitAPI):
    """The four steps of LitServe's documentation."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe names it
        """Load the pipeline."""
        self.pipeline = common.pipeline()

    def decode_request(self, request: dict[str, Any]) -> pd.DataFrame:
        """Return a frame of one row."""
        return pd.DataFrame([request], columns=common.COLUMNS)

    def predict(self, frame: pd.DataFrame) -> float:
        """Return P(bad)."""
        return float(self.pipeline.predict_proba(frame)[0, 1])

    def encode_response(self, probability: float) -> dict[str, Any]:
        """Return the answer."""
        return common.told(probability)


if __name__ == "__main__":
    server = litserve.LitServer(Credit(), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[1]), host="127.0.0.1", generate_client_file=False)
