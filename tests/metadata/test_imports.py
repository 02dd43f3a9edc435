"""What a worker pays before its first question."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["errors", "ids", "records", "flavors"])
def test_values_cost_no_orm(module: str) -> None:
    program = f"import sys, metadata.{module}; print('sqlalchemy' in sys.modules)"
    assert _printed(program) == "False\n"


def test_questions_cost_no_migrations() -> None:
    program = (
        "import sys, metadata.asking, metadata.changes, metadata.entries, metadata.indexes; "
        "print('alembic' in sys.modules)"
    )
    assert _printed(program) == "False\n"


def test_questions_of_an_origin_cost_no_orm() -> None:
    asked = ("asking", "content", "entries", "filter_sets", "indexes", "journal")
    program = (
        f"import sys, {', '.join(f'metadata.{name}' for name in asked)}; "
        "print([name for name in sys.modules if name in ('sqlalchemy.orm', 'metadata.models')])"
    )
    assert _printed(program) == "[]\n"


def _printed(program: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
