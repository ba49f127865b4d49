from __future__ import annotations

from tests.store.conftest import empty_url, new_url, postgresql, sqlite_template, store, url

__all__ = ["empty_url", "new_url", "postgresql", "sqlite_template", "store", "url"]
