#!/usr/bin/env bash
# Resolve every dependency group of pyproject.toml for Python 3.11 to 3.13 and write its lock file.
# dev is resolved first and constrains whatever ships, so that tests run what is deployed.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venvs/boot/bin/uv
compile() { # group, target, constraint (optional)
  echo "lock $2"
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --custom-compile-command "make lock" --group "$1" ${3:+--constraint "$3"} ${LOCK_ARGS:-} -o "$2"
}
compile dev requirements/dev.txt
compile browser requirements/browser.txt requirements/dev.txt
compile core layers/core/requirements.txt requirements/dev.txt
compile declarations layers/declarations/python/requirements.txt requirements/dev.txt
compile onnx layers/onnx/requirements.txt requirements/dev.txt
compile sklearn layers/sklearn/requirements.txt requirements/dev.txt
compile arrow layers/arrow/requirements.txt requirements/dev.txt
compile check-data functions/training/check_data/requirements.txt requirements/dev.txt
compile container container/requirements.txt requirements/dev.txt
compile functions requirements/functions.txt requirements/dev.txt
compile sam requirements/sam.txt
compile aws requirements/aws.txt
compile ministack requirements/ministack.txt
