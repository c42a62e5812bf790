# SPDX-License-Identifier: LGPL-2.1-or-later
# The engines: `make engine` runs all tables and random questions on this machine. Included by the top Makefile.
ENGINE_DIR := $(B)/tests/engine
ENGINE_CASES ?= 200000
ENGINE_SEED ?= 1
ENGINE_TABLES := $(sort $(wildcard tests/cases/*.cases))
ENGINE_SRCS := $(addprefix tests/engine/,cases.c engine.c engine-compare.c engine-core.c engine-random.c engine-reread.c \
	engine-table.c naive.c naive-glob.c naive-move.c print.c random.c shrink.c)

$(ENGINE_DIR)/engine: $(ENGINE_SRCS:%.c=$(B)/%.o) $(POLICY_LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(DEP_LIBS)

engine: $(ENGINE_DIR)/engine
	$< --cases $(ENGINE_CASES) --seed $(ENGINE_SEED) $(ENGINE_TABLES)

.PHONY: engine
