"""The server on 127.0.0.1: moto in this process, with IAM enforced in front of it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from botocore.config import Config
from moto.backends import get_backend
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server import werkzeug_app
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import STSBackend, sts_backends

from embedded_aws.iam.authorization import Authorization
from embedded_aws.iam.conditions import Values
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.iam.principals import PARTITION
from embedded_aws.persistence.gate import Gate
from embedded_aws.server import transport
from embedded_aws.server.dispatch import Dispatcher
from embedded_aws.server.extras import Extras
from embedded_aws.server.faults import Faults
from embedded_aws.server.instances import forgotten_instances
from embedded_aws.server.model_loader import one_model_loader
from embedded_aws.server.name_validation import validated_names
from embedded_aws.server.paging import paged_lists
from embedded_aws.server.plain_session import plain_session
from embedded_aws.server.queue_attributes import kept_queue_attributes
from embedded_aws.server.queue_checks import checked_queue_attributes
from embedded_aws.server.timestamps import quick_timestamps
from embedded_aws.server.wsgi import AuthorizedApp, KeepAliveHandler, foreign
from embedded_aws.services.budgets.administration import changeable_budgets
from embedded_aws.services.logs.filtering import filtered_log_events
from embedded_aws.services.s3.conditions import no_ignored_conditions
from embedded_aws.services.s3.delete_markers import markers_of_missing_keys
from embedded_aws.services.s3.event_kinds import right_event_kinds
from embedded_aws.services.s3.events import checked_s3_events
from embedded_aws.services.s3.notification_configuration import described_event_bridge
from loopback.server import HOST, LoopbackServer


class ServerBusyError(Exception):
    """Another AwsServer is running in this process; moto's state is global."""


class PortInUseError(Exception):
    """The port that the server should listen on is taken."""


class AwsServer:
    """An AWS account in one region, empty at the start and gone at the end.

    Args:
        region: region of regional services.
        account_id: twelve digits.
        port: port on 127.0.0.1; 0 takes a free one.
    """

    _running = threading.Lock()

    def __init__(self, *, region: str = "eu-central-1", account_id: str = "123456789012", port: int = 0) -> None:
        self.region = region
        self.account_id = account_id
        self.owner = AwsCredentials.random()
        """Credentials of the account's owner, to whom everything is allowed."""
        self.authorization = Authorization(account_id=account_id, region=region, owner=self.owner)
        """Authorization of everyone else, with its denials."""
        self.faults = Faults()
        """Errors that coming requests get."""
        self.extras = Extras()
        """Settings that moto does not store."""
        self.gate = Gate()
        """Lets requests and services change the account, and saves what they changed."""
        self._port = port
        self._app: AuthorizedApp | None = None
        self._server: LoopbackServer | None = None
        self._patches = ExitStack()
        self._clients: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()

    @property
    def url(self) -> str:
        """The endpoint of every service."""
        if self._server is None:
            raise RuntimeError("The AWS server is not running: call start() first.")
        return f"http://{HOST}:{self._server.server_port}"

    def start(self, restore: Callable[[], None] | None = None) -> None:
        """Start with an empty account.

        Args:
            restore: fills the account before the first request.

        Raises:
            ServerBusyError: another server is running in this process.
            PortInUseError: the port is in use, or not permitted.
        """
        if not AwsServer._running.acquire(blocking=False):
            raise ServerBusyError("Another embedded AWS is running in this process: stop it first.")
        try:
            _reset()
            self._patches.enter_context(forgotten_instances())
            if restore is not None:
                restore()
            logging.getLogger("werkzeug").setLevel(logging.ERROR)
            # The user's own profiles, endpoints and credentials must have no effect here.
            own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
            self._patches.enter_context(patch.dict(os.environ, own | nobody, clear=True))
            self._app = AuthorizedApp(Dispatcher(), self.authorization, self.gate, self.account_id, self.faults)
            # Pulumi's provider uses this name for S3 Control; names under localhost are always this machine.
            names = (f"{self.account_id}.localhost",)
            self._server = self._listening(self._app, names)
            self._patches.enter_context(patch.object(FakeBucket, "get_permission", self._bucket_permission()))
            self._patches.enter_context(right_event_kinds())
            self._patches.enter_context(markers_of_missing_keys())
            self._patches.enter_context(described_event_bridge())
            self._patches.enter_context(checked_s3_events(self.authorization))
            self._patches.enter_context(no_ignored_conditions())
            self._patches.enter_context(validated_names())
            self._patches.enter_context(kept_queue_attributes())
            self._patches.enter_context(checked_queue_attributes())
            self._patches.enter_context(changeable_budgets())
            self._patches.enter_context(filtered_log_events())
            self._patches.enter_context(paged_lists())
            self._patches.enter_context(patch.object(STSBackend, "get_caller_identity", self._caller_identity()))
            self._patches.enter_context(quick_timestamps())
            self._patches.enter_context(one_model_loader())
            # No page of another origin may read a response.
            self._patches.enter_context(patch.object(werkzeug_app, "DISABLE_GLOBAL_CORS", True))
            # moto also parses every body as a form: "&Action=…" in a text would choose another operation.
            self._patches.enter_context(patch.object(responses, "parse_qsl", lambda *_args, **_options: []))
        except BaseException:
            _reset()
            self._patches.close()
            AwsServer._running.release()
            raise
        self._server.begin()

    def _listening(self, app: AuthorizedApp, names: tuple[str, ...]) -> LoopbackServer:
        try:
            return LoopbackServer(self._port, app, KeepAliveHandler, refuse=foreign, names=names)
        except OSError as error:
            raise PortInUseError(
                f"Port {self._port} of {HOST} cannot be used ({os.strerror(error.errno or 0)}): stop the program"
                " that uses it, or choose another port."
            ) from error

    @classmethod
    def is_running(cls) -> bool:
        """Return whether this process runs an account: it can run one at a time."""
        return cls._running.locked()

    def adopt(self, owner: AwsCredentials) -> None:
        """Replace the owner's credentials."""
        self.owner = owner
        self.authorization.adopt(owner)

    def stop(self) -> None:
        """Stop and delete everything; has no effect if the server is not running."""
        if self._server is None:
            return
        self._server.end()
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._server = None
        # While moto still lists the objects whose buffers it must close.
        _reset()
        self._patches.close()
        AwsServer._running.release()

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        """Return a boto3 client for use by any thread, cached by service and caller.

        Args:
            service: its name in boto3, e.g. "s3".
            credentials: credentials of the caller; by default the owner's.
        """
        caller = credentials or self.owner
        key = (service, caller.access_key_id)
        client = self._clients.get(key)
        if client is None:
            with self._clients_lock:
                client = self._clients.get(key)
                if client is None:
                    client = self._clients[key] = self._new_client(service, caller)
        return client

    def backend(self, service: str) -> Any:
        """Return moto's backend of a service ("s3", "lambda", "iam" …) in this account and region."""
        backends: Any = get_backend("awslambda" if service == "lambda" else service)  # type: ignore[call-overload]
        account = backends[self.account_id]
        return account[self.region] if self.region in account else account[PARTITION]

    def assume(
        self, role_arn: str, service: str, session: str, context: dict[str, Values] | None = None
    ) -> AwsCredentials:
        """Return credentials of a new session of a role that an AWS service assumes.

        Args:
            role_arn: the role.
            service: e.g. "lambda.amazonaws.com".
            session: name of the session, the last part of its ARN.
            context: condition keys for the trust policy, e.g. "aws:SourceArn"; "aws:SourceAccount" is this account
                by default.

        Raises:
            AccessDeniedError: the role does not exist or does not trust the service.
        """
        self.authorization.check_assume(role_arn, service, context)
        assumed = sts_backends[self.account_id][PARTITION].assume_role(
            region_name=self.region,
            role_session_name=session,
            role_arn=role_arn,
            policy="",
            duration=12 * 3600,
            external_id="",
        )
        return AwsCredentials(assumed.access_key_id, assumed.secret_access_key, assumed.session_token)

    def _new_client(self, service: str, caller: AwsCredentials) -> Any:
        client = plain_session().client(
            service,  # type: ignore[call-overload] # the stubs have a literal type for service names
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id=caller.access_key_id,
            aws_secret_access_key=caller.secret_access_key,
            aws_session_token=caller.session_token,
            config=Config(
                # No proxy for the loopback interface.
                proxies={},
                max_pool_connections=32,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path"},
            ),
        )

        def send(request: Any, **_context: Any) -> Any:
            """Send a request; this thread may be changing the account, and its handler wants to."""
            server, app = self._server, self._app
            with self.gate.waiting():
                if server is not None and app is not None and not app.is_handling:
                    return transport.send(server.app, request, server.server_port)
                # Authorization and moto keep a request's state by thread, so another one needs its own.
                return client._endpoint.http_session.send(request)  # noqa: SLF001 - as botocore's endpoint does

        client.meta.events.register("before-send", send)
        return client

    def _caller_identity(self) -> Any:
        """Return the replacement for moto's GetCallerIdentity, to which the account's owner is a made-up user."""
        identify = STSBackend.get_caller_identity

        def get_caller_identity(backend: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
            if access_key_id == self.owner.access_key_id:
                return self.account_id, f"arn:aws:iam::{self.account_id}:root", self.account_id
            found: tuple[str, str, str] = identify(backend, access_key_id, region)
            return found

        return get_caller_identity

    def _bucket_permission(self) -> Any:
        """Return the replacement for moto's own check of bucket policies, which ignores conditions and callers.

        Requests are authorized before they reach moto. Only DeleteObjects is decided here, key by key.
        """
        from moto.iam.access_control import PermissionResult  # noqa: PLC0415 - slow to import

        def get_permission(_bucket: Any, _action: str, resource: str) -> Any:
            return PermissionResult.DENIED if self.authorization.is_denied(resource) else PermissionResult.PERMITTED

        return get_permission


def _reset() -> None:
    """Empty all of moto's backends."""
    BackendDict.reset()
    reset_model_data()
    s3_backends.bucket_accounts.clear()
