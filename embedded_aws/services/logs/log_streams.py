"""Writing to log streams in CloudWatch Logs, with the permissions of the writer."""

from __future__ import annotations

from datetime import datetime

from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.server.server import AwsServer


class LogWriter:
    """Writes to moto's log groups directly: an HTTP request per invocation would take longer than the invocation."""

    def __init__(self, server: AwsServer) -> None:
        self._server = server

    def write(self, access_key_id: str, group: str, stream: str, lines: list[str], at: datetime) -> bool:
        """Append lines to a stream, which is created if missing.

        As in AWS, a writer without permission loses its logs but does not fail.

        Returns:
            Whether the lines were written.
        """
        logs = self._server.backend("logs")
        group_arn = f"arn:aws:logs:{self._server.region}:{self._server.account_id}:log-group:{group}"
        stream_arn = f"{group_arn}:log-stream:{stream}"
        check = self._server.authorization.check
        try:
            if group not in logs.groups:
                check(access_key_id, "logs:CreateLogGroup", f"{group_arn}:*")
                logs.create_log_group(group, {})
            if stream not in logs.groups[group].streams:
                check(access_key_id, "logs:CreateLogStream", f"{group_arn}:*")
                logs.create_log_stream(group, stream)
            check(access_key_id, "logs:PutLogEvents", stream_arn)
        except AccessDeniedError:
            return False
        timestamp = int(at.timestamp() * 1000)
        logs.put_log_events(group, stream, [{"timestamp": timestamp, "message": line} for line in lines if line])
        return True
