import sys
from pathlib import Path

# The tests of this folder share one harness; there are no packages under tests/.
sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="rewrite the golden transcripts of consensus")
