"""The stages of requests that are no traffic: a release asks them itself.

API Gateway writes `requestContext.stage`, so no client can pass its requests off as these.
"""

from typing import Final

SMOKE: Final = "smoke"
SHADOW: Final = "shadow"
# They leave their lines in the prediction log, and no metrics.
UNCOUNTED: Final = (SMOKE, SHADOW)
