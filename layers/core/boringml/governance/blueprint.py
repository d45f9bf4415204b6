"""Predefined training jobs: what one may take. Callers get all of planning from here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from boringml.errors import BoringError
from boringml.governance.job_rules import job_name
from boringml.governance.training_job import plan_training_job

__all__ = ["Blueprint", "check_parallelism", "job_name", "plan_training_job"]


@dataclass(frozen=True)
class Blueprint:
    """One file of blueprints/. Times are seconds, the volume gigabytes, the ceiling USD a job."""

    name: str
    description: str
    instance_type: str
    instance_count: int
    volume_gb: int
    spot: bool
    max_runtime_seconds: int
    max_wait_seconds: int | None
    checkpoints: bool
    max_parallel: int
    cost_ceiling_usd: float
    mandatory_tags: tuple[str, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Blueprint":
        """Return the blueprint of a parsed YAML file. Raises BoringError `blueprint_invalid`."""
        names = [field.name for field in fields(cls)]
        wrong = sorted(set(names) ^ set(document))
        if wrong:
            raise _invalid(document.get("name"), f"it lacks or must not have {', '.join(wrong)}")
        tags = tuple(document["mandatory_tags"])
        blueprint = cls(**{**document, "mandatory_tags": tags})
        blueprint._check()
        return blueprint

    def _check(self) -> None:
        positive = {
            "instance_count": self.instance_count,
            "volume_gb": self.volume_gb,
            "max_runtime_seconds": self.max_runtime_seconds,
            "max_parallel": self.max_parallel,
            "cost_ceiling_usd": self.cost_ceiling_usd,
        }
        for name, value in positive.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise _invalid(self.name, f"{name} is {value!r}, not above 0")
        if self.spot:
            if (self.max_wait_seconds or 0) < self.max_runtime_seconds:
                raise _invalid(self.name, "spot needs max_wait_seconds >= max_runtime_seconds")
            if not self.checkpoints:
                raise _invalid(self.name, "spot needs checkpoints: an interruption loses all else")
        elif self.max_wait_seconds is not None:
            raise _invalid(self.name, "max_wait_seconds is for spot only: SageMaker refuses it")


def check_parallelism(blueprint: Blueprint, running: int) -> None:
    """Raise BoringError `too_many_jobs` (429) where as many of a model's jobs run as may."""
    if running >= blueprint.max_parallel:
        raise BoringError(
            "too_many_jobs",
            f"{running} jobs of this model run, and {blueprint.name} allows "
            f"{blueprint.max_parallel}: try again when one has ended.",
            429,
        )


def _invalid(name: Any, problem: str) -> BoringError:
    return BoringError("blueprint_invalid", f"blueprints/{name}.yaml: {problem}.", 422)
