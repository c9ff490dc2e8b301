#!/usr/bin/env bash
# Set up the course in a container that has no GPU: PyTorch's CPU build first, because it takes a quarter of the disk.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
torch=$(grep '^torch==' constraints.txt)
.venv/bin/uv pip install --quiet --python .venv/bin/python --torch-backend cpu "$torch" ||
    echo "PyTorch's CPU build could not be had; the next step takes the usual one."
make .venv/installed
.venv/bin/python -m unetpp_course copy my_course
