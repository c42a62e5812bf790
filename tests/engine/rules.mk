# SPDX-License-Identifier: LGPL-2.1-or-later
# The engines: `make engine` runs all tables and random questions on this machine. Included by the top Makefile.
ENGINE_DIR := $(B)/tests/engine
ENGINE_CASES ?= 200000
ENGINE_SEED ?= 1
STAGE ?= $(B)/stage
ENGINE_TABLES := $(sort $(wildcard tests/cases/*.cases))
ENGINE_SRCS := $(addprefix tests/engine/,cases.c engine.c engine-compare.c engine-core.c engine-random.c engine-reread.c \
	engine-table.c naive.c naive-glob.c naive-move.c print.c random.c shrink.c)

$(ENGINE_DIR)/engine: $(ENGINE_SRCS:%.c=$(B)/%.o) $(POLICY_LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(DEP_LIBS)

engine: $(ENGINE_DIR)/engine
	$< --cases $(ENGINE_CASES) --seed $(ENGINE_SEED) $(ENGINE_TABLES)

# The live runner is linked statically, and never instrumented: a subject that opens libraries or writes coverage could not run
# under its policy. `make engine-stage` puts it where the guest tests look for it.
LIVE_SRCS := $(addprefix tests/engine/,cases.c live.c live-scene.c live-ways.c)
LIVE_HEADERS := $(wildcard tests/engine/*.h agent/policy/ask.h agent/util/cleanup.h lsm/abi/*.h)

$(ENGINE_DIR)/lsmd-live: $(LIVE_SRCS) $(LIVE_HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g -Wall -Wextra -D_GNU_SOURCE -I. -static -o $@ $(LIVE_SRCS)

engine-stage: $(ENGINE_DIR)/lsmd-live
	install -D -m 755 $< $(STAGE)/usr/lib/lsmd-test/lsmd-live

.PHONY: engine engine-stage
