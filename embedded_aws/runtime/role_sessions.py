"""Sessions of the roles that services assume, reused for a while; the trust policy is checked every time."""

from __future__ import annotations

from datetime import datetime, timedelta

from embedded_aws.clock import SimulatedClock
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.server import AwsServer

SESSION_LIFETIME = timedelta(days=7)
"""How long credentials are used. AWS issues them for twelve hours at most; here they stay valid, because the cold
starts that renewal causes would make simulated days slow."""


class RoleSessions:
    """Credentials by role and service."""

    def __init__(self, server: AwsServer, clock: SimulatedClock) -> None:
        self._server = server
        self._clock = clock
        self._sessions: dict[tuple[str, str, str], tuple[datetime, AwsCredentials]] = {}

    def credentials(self, role_arn: str, service: str, session: str, source_arn: str) -> AwsCredentials:
        """Return credentials of a role session.

        Args:
            role_arn: the role.
            service: service that assumes it, such as `scheduler.amazonaws.com`.
            session: name of the session.
            source_arn: `aws:SourceArn` for conditions of the trust policy.

        Raises:
            AccessDeniedError: the role does not exist or does not trust the service.
        """
        context = {"aws:SourceArn": source_arn}
        created_at, credentials = self._sessions.get((role_arn, service, session), (None, None))
        if created_at is None or credentials is None or created_at + SESSION_LIFETIME < self._clock.now:
            credentials = self._server.assume(role_arn, service, session, dict(context))
            self._sessions[role_arn, service, session] = self._clock.now, credentials
        else:
            self._server.authorization.check_assume(role_arn, service, context)
        return credentials
