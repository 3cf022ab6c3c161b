"""Which requests only read."""

from __future__ import annotations

import re

from embedded_aws.server.requests import AwsRequest

_READS = re.compile(r"(Get|List|Describe|Head|BatchGet|Search|Lookup|Filter|Scan|Query|Test)[A-Z]?\w*")
_STS_READS = frozenset({"GetCallerIdentity", "GetAccessKeyInfo"})


def is_reading(request: AwsRequest) -> bool:
    """Return whether a request changes nothing that is worth keeping."""
    if request.operation is None:
        return request.method in {"GET", "HEAD", "OPTIONS"}
    if request.service == "sts":
        return request.operation in _STS_READS
    return _READS.fullmatch(request.operation) is not None
