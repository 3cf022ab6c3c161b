"""What a request does, as authorization sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_aws.iam.policies import Question


class UnmodelledOperationError(Exception):
    """It is not known here which action on which resource a request is; the message names the request."""


@dataclass(frozen=True)
class Operation:
    """One request's operation.

    Attributes:
        name: for messages.
        questions: every one of them has to be allowed.
        buckets: S3 buckets spoken of; where one does not exist S3 says so to everyone.
        reads: S3 objects (bucket, key, version or None) that are read. Where one is missing the answer is 404 only for
            callers that may list the bucket, 403 for the others.
        each_apart: the questions are decided one by one, and the answer names the refused ones (DeleteObjects).
    """

    name: str
    questions: tuple[Question, ...]
    buckets: tuple[str, ...] = ()
    reads: tuple[tuple[str, str, str | None], ...] = ()
    each_apart: bool = False
