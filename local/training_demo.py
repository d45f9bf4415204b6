"""New data in S3, until the version that came of it is live."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from boringml.adapters.registry_table import RegistryTable
from boringml.registry.records import LIVE
from local.following import executions, follow, started_after
from local.telling import Say
from local.up import Deployed

# Writes the rows to a file of this path.
Write = Callable[[Path], Path]


def train_and_release(deployed: Deployed, model: str, write: Write, say: Say) -> int:
    """Upload data; return the version that came of it and is live.

    Raises ExecutionFailedError where training or the release failed.
    """
    aws, outputs = deployed.local_aws, deployed.outputs
    states = aws.client("stepfunctions")
    trained = executions(states, outputs["TrainStateMachine"])
    released = executions(states, outputs["ReleaseStateMachine"])
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / f"{model}-{time.strftime('%Y%m%dT%H%M%S')}.csv")
        key = f"data/{model}/{file.name}"
        aws.client("s3").upload_file(str(file), outputs["LakeBucket"], key)
    say(f"uploaded s3://{outputs['LakeBucket']}/{key}")
    say("train")
    run = started_after(states, outputs["TrainStateMachine"], trained)
    version = int(follow(states, run, say)["version"])
    say(f"release of version {version}")
    follow(states, started_after(states, outputs["ReleaseStateMachine"], released), say)
    return version


def ensure_live(
    deployed: Deployed, registry: RegistryTable, model: str, write: Write, say: Say
) -> int:
    """Return the live version; where there is none, train and release the first one.

    Raises what `train_and_release` raises.
    """
    live = registry.alias(model, LIVE)
    if live is None:
        return train_and_release(deployed, model, write, say)
    say(f"{model} version {live} is live already")
    return live
