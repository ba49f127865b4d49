"""The chart of a message: uploaded first, then shown in an image block; best effort throughout.

https://docs.slack.dev/messaging/working-with-files#upload
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from slack_sdk import WebClient

from notifiers.errors import Ambiguous
from notifiers.slack.answers import call, post


def upload(client: WebClient, chart: bytes, described: str) -> str:
    """The id of the uploaded file, not shared anywhere yet. Raises DeliveryError."""
    place = call(
        client,
        "files.getUploadURLExternal",
        {"filename": "chart.png", "length": len(chart), "alt_txt": described[:1_000]},
        encoding="form",
    )
    url, file_id = place.get("upload_url"), place.get("file_id")
    if not (isinstance(url, str) and isinstance(file_id, str)):
        raise Ambiguous("files.getUploadURLExternal named no place to upload to")
    _put(url, chart, client.timeout)
    files = json.dumps([{"id": file_id, "title": "chart"}])
    call(client, "files.completeUploadExternal", {"files": files}, encoding="form")
    return file_id


def shown_in(message: Mapping[str, object]) -> str | None:
    """The file id of the chart that a message shows already."""
    blocks = message.get("blocks")
    for block in blocks if isinstance(blocks, list) else []:
        file = block.get("slack_file") if isinstance(block, dict) else None
        if isinstance(file, dict) and isinstance(file.get("id"), str):
            return str(file["id"])
    return None


def _put(url: str, chart: bytes, timeout_s: float) -> None:
    if urlsplit(url).scheme not in ("https", "http"):
        raise Ambiguous("files.getUploadURLExternal named a place that is no web address")
    post(url, chart, "image/png", timeout_s=timeout_s, failing="the chart could not be uploaded")
