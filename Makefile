# Everything runs from .venv, which this file makes from uv.lock; root is not needed.
UV := .venv/bin/uv
RUN := $(UV) run --no-sync

.venv/.ready: pyproject.toml uv.lock
	@test -x .venv/bin/python || python3 -m venv .venv
	@test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV) sync --quiet --frozen --inexact --all-extras
	@touch $@

.PHONY: demo test check bench accuracy pictures kill clean
demo: .venv/.ready ## replay weeks of real data through the real pipeline
	@$(RUN) metricwatch demo $(ARGS)

test: .venv/.ready ## everything: style, types, layers, tests
	@$(MAKE) --no-print-directory check
	$(RUN) pytest -n 3 --dist worksteal $(ARGS)

check: .venv/.ready ## format, lint, types, imports
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) lint-imports

comma := ,
bench: .venv/.ready ## our speed beside a named rival, as ratios
	@$(if $(filter judge,$(subst $(comma), ,$(or $(ROWS),judge))),$(UV) sync --quiet --frozen --inexact --all-extras --group accuracy)
	$(RUN) python -m tests.benchmarks $(ROWS)

accuracy: .venv/.ready ## our detectors beside named rivals on labelled series, as a table and a report
	@$(UV) sync --quiet --frozen --inexact --all-extras --group accuracy
	@$(RUN) pytest --quiet tests/accuracy/test_rivals_with_libraries.py
	@$(RUN) python -m tests.accuracy $(ARGS)

kill: .venv/.ready ## kill -9 at random moments; count what was lost, doubled, left open
	@$(RUN) python -m tests.kill --kills $(or $(KILLS),200)

pictures: .venv/.ready ## the pictures of docs/how-it-decides.md
	@$(RUN) python -m tests.accuracy.pictures

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist
