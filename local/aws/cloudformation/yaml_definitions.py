"""State machines written in YAML.

AWS::StepFunctions::StateMachine takes DefinitionS3Location in JSON or YAML (CloudFormation User
Guide), which is where `sam deploy` puts a DefinitionUri. MiniStack 1.5.33 keeps the text as it is
and cannot parse YAML when an execution starts. Seam: provisioners._sfn_definition.
"""

import json
from typing import Any

import yaml
from ministack.services.cloudformation import provisioners

from local.aws.seams import seam


def install() -> None:
    """Hand YAML definitions on as the JSON that they stand for."""
    define = seam(provisioners, "_sfn_definition")

    def definition(props: dict[str, Any]) -> str:
        text: str = define(props)
        try:
            json.loads(text)
        except ValueError:
            return json.dumps(yaml.safe_load(text))
        return text

    provisioners._sfn_definition = definition
