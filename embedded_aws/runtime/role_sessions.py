"""Sessions of the roles that services take on; made once for a while, the trust policy asked each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_aws.clock import SimulatedClock
    from embedded_aws.iam.credentials import AwsCredentials
    from embedded_aws.server.server import AwsServer

SESSION_LIFETIME = timedelta(days=7)
"""How long credentials are used. AWS gives them for twelve hours at most; the server lets them live on, and so the cold
starts that renewing them would take do not fill simulated days."""


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
            service: who takes it on, such as `scheduler.amazonaws.com`.
            session: the session's name.
            source_arn: `aws:SourceArn` for conditions of the trust policy.

        Raises:
            AccessDeniedError: the role does not exist or does not trust the service.
        """
        context = {"aws:SourceArn": source_arn}
        made, credentials = self._sessions.get((role_arn, service, session), (None, None))
        if made is None or credentials is None or made + SESSION_LIFETIME < self._clock.now:
            credentials = self._server.assume(role_arn, service, session, dict(context))
            self._sessions[role_arn, service, session] = self._clock.now, credentials
        else:
            self._server.authorization.check_assume(role_arn, service, context)
        return credentials
