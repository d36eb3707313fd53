"""A secret's value from AWS Secrets Manager."""

from xio_slurm.aws.session import client
from xio_slurm.errors import AwsError


def secret_string(name: str, region: str | None) -> str:
    """The text of the secret's current version. ``name`` is its name or ARN; an ARN's own region counts.

    Raises AwsError, which never holds any of the text.
    """
    with client("secretsmanager", _region_of(name) or region) as secrets_manager:
        try:
            answer = secrets_manager.get_secret_value(SecretId=name)
        except secrets_manager.exceptions.ResourceNotFoundException:
            place = secrets_manager.meta.region_name
            raise AwsError(
                f"the secret {name} isn't in {place}: see to VmRootPasswordSecret and AvailabilityZone",
                code="ResourceNotFoundException",
            ) from None
    text = answer.get("SecretString")
    if text is None:
        raise AwsError(f"the secret {name} is binary: store it as text")
    return text


def _region_of(name: str) -> str | None:
    # arn:aws:secretsmanager:<region>:<account>:secret:<name>-<random>
    parts = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 6 else None
