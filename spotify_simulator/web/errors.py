"""The errors of the Web API and the accounts service."""

from __future__ import annotations

from collections.abc import Mapping

PREMIUM_REQUIRED = (
    "Active premium subscription required for the owner of the app. When the subscription status changes, it can take "
    "a few hours before requests are allowed again."
)
"""As quoted in https://github.com/zmb3/spotify/issues/301."""
NOT_REGISTERED = "Check settings on developer.spotify.com/dashboard, the user may not be registered."
"""As quoted in https://github.com/sigma67/spotify_to_ytmusic/issues/122."""


class ApiError(Exception):
    """A refusal by the Web API: `{"error": {"status", "message"}}`, sometimes with a reason."""

    def __init__(
        self, status: int, message: str, *, reason: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status."""
        self.message = message
        self.reason = reason
        self.headers = dict(headers or {})
        """Additional headers of the response."""

    @property
    def body(self) -> object:
        """The response: JSON, or plain text."""
        reason = {} if self.reason is None else {"reason": self.reason}
        return {"error": {"status": self.status, "message": self.message, **reason}}


class PlainTextError(ApiError):
    """A refusal whose body is just the message, not JSON."""

    @property
    def body(self) -> str:
        """What is sent."""
        return self.message


class TooManyRequestsError(ApiError):
    """A 429 of a quota or a rate limit."""

    def __init__(self, group: str, retry_after: int | None, *, quota: bool, plain_text: bool) -> None:
        super().__init__(
            429,
            "Too many requests" if quota or plain_text else "API rate limit exceeded",
            reason="QUOTA_EXCEEDED" if quota else None,
            headers={} if retry_after is None else {"Retry-After": str(retry_after)},
        )
        self.group = group
        """Name of the quota."""
        self._plain_text = plain_text

    @property
    def body(self) -> object:
        """What is sent."""
        return self.message if self._plain_text else super().body


class UnmodelledError(ApiError):
    """Something that the real service may support, but the simulator does not model."""

    def __init__(self, what: str, status: int = 404) -> None:
        super().__init__(status, f"The simulator does not model {what}: add it to spotify_simulator/web first.")


class OAuthError(Exception):
    """A refusal by the accounts service: `{"error", "error_description"}`, always with 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    @property
    def body(self) -> dict[str, object]:
        """What is sent."""
        return {"error": self.error, "error_description": self.description}


class ConsentPageError(Exception):
    """An error on the consent page, from which the user cannot be sent back to the app."""
