"""Cookies as they are written."""

from __future__ import annotations

from starlette.requests import Request


def written(request: Request, name: str, value: str, *, lasts_s: int | None = None) -> str:
    """A cookie that no script reads and no other site's request carries."""
    is_secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
    lasts = "" if lasts_s is None else f"; Max-Age={lasts_s}"
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict{lasts}{'; Secure' if is_secure else ''}"
