# The six verbs of this repository.
.PHONY: setup test lint docs demo ci

setup:  ## install for development
	pip install -e '.[dev]'

test:  ## run the tests that are not slow
	pytest -n auto

lint:  ## check style and types
	ruff check . && ruff format --check . && mypy src builders

docs:  ## build the site into site/ (pip install -e '.[docs]')
	NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict

demo:  ## build, check and show a small data set
	webfaq-domains demo

ci:  ## everything that must hold before a change lands
	.ci/run
