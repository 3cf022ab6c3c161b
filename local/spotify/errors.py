"""The ways in which the Web API and the accounts service refuse."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal of the Web API: `{"error": {"status", "message"}}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def body(self) -> dict[str, object]:
        """What is sent."""
        return {"error": {"status": self.status, "message": self.message}}


class UnmodelledError(ApiError):
    """Something that the real service may well answer, but the simulator does not know: loud, never a guess."""

    def __init__(self, what: str, status: int = 404) -> None:
        super().__init__(status, f"The simulator does not model {what}: model it in local/spotify before it is used.")


class OAuthError(Exception):
    """A refusal of the accounts service: `{"error", "error_description"}`, always 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    @property
    def body(self) -> dict[str, object]:
        """What is sent."""
        return {"error": self.error, "error_description": self.description}
