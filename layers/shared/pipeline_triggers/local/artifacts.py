"""The code that was uploaded with a stack, fetched as Lambda fetches it: from where the processed template says."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.deployment import Folders
from pipeline_triggers.local.emulator import local_client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def fetch(stack_name: str, *, endpoint_url: str, into: Path) -> dict[str, Folders]:
    """Unpack the code and the layers of every function of a stack, and say where they are, by logical id.

    What was uploaded under a key is unpacked once; SAM names keys after their content. ConfigurationError when a
    function or layer has no uploaded code, or what was uploaded is no zip file.
    """
    cloudformation = local_client("cloudformation", endpoint_url)
    template: Any = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    resources: Mapping[str, Any] = template["Resources"]
    s3 = local_client("s3", endpoint_url)
    return {
        logical_id: Folders(
            code=_unpacked(s3, logical_id, resource["Properties"]["Code"], into),
            handler=resource["Properties"]["Handler"],
            layers=tuple(
                _unpacked(s3, layer, resources[layer]["Properties"]["Content"], into) / "python"
                for layer in _layers(logical_id, resource["Properties"])
            ),
        )
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def _layers(function: str, properties: Mapping[str, Any]) -> list[str]:
    layers = properties.get("Layers", [])
    if any("Ref" not in layer for layer in layers):
        raise ConfigurationError(f"{function} has a layer that is not of its stack: {layers}")
    return [layer["Ref"] for layer in layers]


def _unpacked(s3: Any, logical_id: str, place: Mapping[str, Any], into: Path) -> Path:
    if "S3Key" not in place:
        raise ConfigurationError(f"the code of {logical_id} was not uploaded: deploy the stack with `sam deploy`")
    folder: Path = into / place["S3Key"].replace("/", "-")
    if folder.exists():
        return folder
    body = s3.get_object(Bucket=place["S3Bucket"], Key=place["S3Key"])["Body"].read()
    half_done = folder.with_suffix(".unpacking")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            archive.extractall(half_done)
    except zipfile.BadZipFile as error:
        uploaded = f"s3://{place['S3Bucket']}/{place['S3Key']}"
        raise ConfigurationError(f"the code of {logical_id} is no zip file: {uploaded}") from error
    half_done.rename(folder)
    return folder
