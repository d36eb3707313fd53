"""A client of one of AWS's services, whose every error is one line that says what to do.

boto3 is an extra, slow to load, and needed by few: it is imported when a client is made, not before. It finds
credentials, proxies and other endpoints (``AWS_ENDPOINT_URL``) in its own usual ways.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from xio_slurm.errors import AwsError
from xio_slurm.plain_text import one_line

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

Service = Literal["cloudformation", "ec2", "secretsmanager"]

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 10
_ATTEMPTS: Final = 3

_LENGTH: Final = 300

_NO_CREDENTIALS: Final = "no credentials: give this machine a role, or set AWS_PROFILE, or run 'aws configure'"
_SIGN_ON: Final = "the sign-on has expired: run 'aws sso login'"
_NO_ANSWER: Final = "no answer ({said}): see to the region, the route and the VPC endpoint"
_PROXY: Final = "{said}: see to HTTPS_PROXY and AWS_CA_BUNDLE"
_ERRORS: Final[Mapping[str, str]] = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "MetadataRetrievalError": _NO_CREDENTIALS,
    "TokenRetrievalError": _SIGN_ON,
    "NoAuthTokenError": _SIGN_ON,
    "SSOTokenLoadError": _SIGN_ON,
    "UnauthorizedSSOTokenError": _SIGN_ON,
    "NoRegionError": "no region: set AvailabilityZone in the configuration, or AWS_DEFAULT_REGION",
    "InvalidRegionError": "{said}: write a region such as us-east-2",
    "ProfileNotFound": "{said}: set AWS_PROFILE to one of 'aws configure list-profiles'",
    "EndpointConnectionError": _NO_ANSWER,
    "ConnectTimeoutError": _NO_ANSWER,
    "ReadTimeoutError": _NO_ANSWER,
    "ConnectionClosedError": _NO_ANSWER,
    "ProxyConnectionError": _PROXY,
    "SSLError": _PROXY,
}
"""botocore's exceptions, by name: some exist in newer versions only."""

_DENIED: Final = "not allowed: let this machine's role (or your user) do {action}"
_EXPIRED: Final = "the credentials have expired: get new ones, such as with 'aws sso login'"
_UNKNOWN: Final = "AWS doesn't know these credentials ({code}): see 'aws sts get-caller-identity'"
_UNSIGNED: Final = "AWS doesn't take the signature ({code}): see to the secret access key and this machine's clock"
_THROTTLED: Final = "AWS gets too many requests of this account: try again in a minute"
_CODES: Final[Mapping[str, str]] = {
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "UnauthorizedOperation": _DENIED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "AuthFailure": _UNKNOWN,
    "InvalidAccessKeyId": _UNKNOWN,
    "InvalidClientTokenId": _UNKNOWN,
    "UnrecognizedClientException": _UNKNOWN,
    "InvalidSignatureException": _UNSIGNED,
    "SignatureDoesNotMatch": _UNSIGNED,
    "RequestLimitExceeded": _THROTTLED,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
}
"""AWS's codes: its "Common errors" and those of the EC2 API."""

_ACTION: Final = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9]+)")


@overload
def client(
    service: Literal["cloudformation"], region: str | None
) -> "AbstractContextManager[CloudFormationClient]": ...
@overload
def client(service: Literal["ec2"], region: str | None) -> "AbstractContextManager[EC2Client]": ...
@overload
def client(
    service: Literal["secretsmanager"], region: str | None
) -> "AbstractContextManager[SecretsManagerClient]": ...
def client(service: Service, region: str | None) -> AbstractContextManager[Any]:
    """A client for a ``with`` block, closed at its end. ``region`` None: boto3's usual ways to find one.

    What botocore raises inside the block comes out as AwsError, which has AWS's own code::

        with client("ec2", region) as ec2:
            images = ec2.describe_images(ImageIds=[ami])["Images"]

    A request that gets no answer is over in about half a minute, attempts and all.
    """
    return _client(service, region)


@contextmanager
def _client(service: Service, region: str | None) -> Iterator[Any]:
    try:
        import boto3  # noqa: PLC0415  # an extra, see above
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from botocore.parsers import ResponseParserError  # noqa: PLC0415
    except ImportError as error:
        raise AwsError(
            f"AWS can't be asked, since boto3 isn't installed: {sys.executable} -m pip install boto3"
        ) from error
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    try:
        with closing(_made(lambda: boto3.client(service, region_name=region, config=config))) as made:
            yield made
    except ClientError as error:
        raise _refused(service, error) from error
    except BotoCoreError as error:
        raise AwsError(f"AWS {service}: {_unanswered(error)}") from error
    except ResponseParserError:  # its text is the whole answer
        raise AwsError(f"AWS {service}: the answer isn't AWS's: see to HTTPS_PROXY and AWS_ENDPOINT_URL") from None


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError as error:
        if type(error) is ValueError:  # not one of botocore's, which can be ValueErrors besides
            raise AwsError(f"{_one_line(str(error))}: see to AWS_ENDPOINT_URL") from error
        raise


def _refused(service: Service, error: "ClientError") -> AwsError:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code")), _one_line(told.get("Message") or "no text")
    named = _ACTION.search(message)
    default = "kms:Decrypt" if "KMS" in message else f"{service}:{error.operation_name}"
    remedy = _CODES.get(code, "{message} ({code})")
    text = remedy.format(code=code, message=message, action=named[1] if named else default)
    return AwsError(f"AWS {service}: {error.operation_name}: {text}", code=code)


def _unanswered(error: "BotoCoreError") -> str:
    return _ERRORS.get(type(error).__name__, "{said}").format(said=_one_line(str(error)))


def _one_line(text: str) -> str:
    line = one_line(text).rstrip(".")
    return line if len(line) <= _LENGTH else line[: _LENGTH - 1] + "…"
