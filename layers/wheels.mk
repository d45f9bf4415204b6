# Layers from locked wheels, as small as they start fast. The Makefile of a layer includes this.
#
# SAM says neither runtime nor processor to a Makefile, so its working directory does: one of
# layers/targets (template.yaml).
target := $(notdir $(CURDIR))
python := $(patsubst python%,%,$(firstword $(subst -, ,$(target))))
machine := $(subst arm64,aarch64,$(lastword $(subst -, ,$(target))))
layer := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
packages := $(ARTIFACTS_DIR)/python

define install
	python3 -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
	  --only-binary=:all: --implementation cp --python-version $(python) \
	  --platform manylinux_2_28_$(machine) --platform manylinux_2_17_$(machine) --platform manylinux2014_$(machine) \
	  --target "$(packages)" --requirement "$(layer)requirements.txt"
endef

# A layer is read-only, so without bytecode Python compiles every module again at every start, which
# takes as long as all else: docs/performance.md. Unchecked, since Lambda keeps no times of files.
define compile
	find "$(packages)" -name tests -type d -path '*/*/*' -prune -exec rm -rf {} +
	python$(python) -m compileall -q -j 0 --invalidation-mode unchecked-hash "$(packages)"
endef
