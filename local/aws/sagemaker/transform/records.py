"""How an object becomes the bodies of requests: SplitType and BatchStrategy.

A record of SplitType Line is a line with its end; MultiRecord fills a body with as many as
MaxPayloadInMB holds, SingleRecord sends each alone (TransformInput and CreateTransformJob,
SageMaker API reference).
"""

from collections.abc import Iterator
from typing import BinaryIO


class TooLargeError(Exception):
    """A record, or an object that is not split, is larger than MaxPayloadInMB."""


def payloads(stream: BinaryIO, split: str, strategy: str, most: int) -> Iterator[bytes]:
    """Yield bodies of at most `most` bytes, which joined are the stream. Nothing for nothing.

    `split` is None or Line, `strategy` SingleRecord or MultiRecord. Raises TooLargeError.
    """
    if split == "None":
        whole = _bounded(stream.read(most + 1), most)
        if whole:
            yield whole
        return
    batch: list[bytes] = []
    size = 0
    while line := _bounded(stream.readline(most + 1), most):
        if batch and (strategy == "SingleRecord" or size + len(line) > most):
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield b"".join(batch)


def _bounded(content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise TooLargeError
    return content
