"""AWS::Athena::NamedQuery.

CloudFormation keeps a query in Athena; each of its properties replaces the resource, whose id is
the query's (CloudFormation User Guide). MiniStack 1.5.33 does not know the type: the stack fails.
Seams: provisioners._RESOURCE_HANDLERS; athena._create_named_query, _delete_named_query.
"""

import json
from typing import Any

from ministack.services import athena
from ministack.services.cloudformation import provisioners

from local.aws.seams import seam

TYPE = "AWS::Athena::NamedQuery"


def install() -> None:
    """Add the type."""
    create_query = seam(athena, "_create_named_query")
    delete_query = seam(athena, "_delete_named_query")
    handlers = seam(provisioners, "_RESOURCE_HANDLERS")

    def create(logical_id: str, props: dict[str, Any], _stack: str, *_rest: Any) -> Any:
        answer = create_query({"Name": logical_id, **props})
        query = json.loads(answer[2])["NamedQueryId"]
        return query, {"NamedQueryId": query}

    def update(physical_id: str, old: Any, new: dict[str, Any], stack: str, *_rest: Any) -> Any:
        if old == new:
            return physical_id, {"NamedQueryId": physical_id}
        made = create(new.get("Name", physical_id), new, stack)
        delete(physical_id, old)
        return made

    def delete(physical_id: str, _props: Any, *_rest: Any) -> None:
        delete_query({"NamedQueryId": physical_id})

    handlers[TYPE] = {"create": create, "update": update, "delete": delete}
