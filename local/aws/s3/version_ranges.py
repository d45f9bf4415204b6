"""A range of one version of an object.

AWS (GetObject): Range holds for a version as for the newest one: 206, the bytes asked for and
Content-Range; 416 InvalidRange where there are none.
MiniStack 1.5.33 answers 200 with the whole version, so who asks for the end of a file gets its
beginning.

Seam: s3._get_object, _parse_range.
"""

from typing import Any

from ministack.services import s3

from local.aws.seams import seam

_CHECKSUM_MODE = "x-amz-checksum-mode"


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    get = seam(s3, "_get_object")
    seam(s3, "_parse_range")
    seam(s3, "_qp")

    def get_object(
        bucket: str, key: str, headers: dict[str, Any], query: dict[str, Any] | None = None
    ) -> Any:
        asked = headers.get("range", "")
        if not asked or not s3._qp(query or {}, "versionId", ""):
            return get(bucket, key, headers, query)
        # The checksum of the whole object is none of a part of it.
        plain = {name: value for name, value in headers.items() if name != _CHECKSUM_MODE}
        status, answered, body = get(bucket, key, plain, query)
        if status != 200:
            return status, answered, body
        found = s3._parse_range(asked, len(body))
        if found is None:
            return s3._error("InvalidRange", "The requested range is not satisfiable", 416, key)
        start, end = found
        part = body[start : end + 1]
        told = {
            "Content-Range": f"bytes {start}-{end}/{len(body)}",
            "Content-Length": str(len(part)),
        }
        return 206, {**answered, **told}, part

    s3._get_object = get_object
