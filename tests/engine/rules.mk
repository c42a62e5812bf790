# SPDX-License-Identifier: LGPL-2.1-or-later
# The engines: `make engine` runs all tables and random questions on this machine. Included by the top Makefile.
ENGINE_DIR := $(B)/tests/engine
ENGINE_CASES ?= 200000
ENGINE_SEED ?= 1
STAGE ?= $(B)/stage
ENGINE_TABLES := $(sort $(wildcard tests/cases/*.cases))
ENGINE_SRCS := $(addprefix tests/engine/,engine.c engine-bpf.c engine-compare.c engine-core.c engine-diff.c engine-random.c engine-reread.c \
	engine-table.c naive.c naive-glob.c naive-move.c print.c random.c shrink.c)

# ENGINE_BPF= leaves the BPF program out of the run, for builders who are not root.
ENGINE_BPF ?= --bpf
BPFTOOL ?= bpftool

$(ENGINE_DIR)/bpf/engine.bpf.o: tests/engine/bpf/engine.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -I. -I/usr/include/$(shell $(CC) -print-multiarch) -MMD -MP -c -o $@ $<

$(ENGINE_DIR)/bpf/engine.skel.h: $(ENGINE_DIR)/bpf/engine.bpf.o
	$(BPFTOOL) gen skeleton $< name engine_bpf > $@ || { rm -f $@; false; }

$(B)/tests/engine/engine-bpf.o: $(ENGINE_DIR)/bpf/engine.skel.h

$(ENGINE_DIR)/engine: $(ENGINE_SRCS:%.c=$(B)/%.o) $(POLICY_LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(DEP_LIBS)

engine: $(ENGINE_DIR)/engine
	$< $(ENGINE_BPF) --cases $(ENGINE_CASES) --diffs $$(($(ENGINE_CASES) / 200)) --seed $(ENGINE_SEED) $(ENGINE_TABLES)

# The live runner is linked statically, and never instrumented: a subject that opens libraries or writes coverage could not run
# under its policy. `make engine-stage` puts both where the guest tests look for them.
LIVE_SRCS := agent/policy/cases.c $(addprefix tests/engine/,live.c live-scene.c live-ways.c)
LIVE_HEADERS := $(wildcard tests/engine/*.h agent/policy/ask.h agent/policy/cases.h agent/util/cleanup.h lsm/abi/*.h)

$(ENGINE_DIR)/lsmd-live: $(LIVE_SRCS) $(LIVE_HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE -I. -static -o $@ $(LIVE_SRCS)

engine-stage: $(ENGINE_DIR)/lsmd-live $(ENGINE_DIR)/engine
	install -D -m 755 -t $(STAGE)/usr/lib/lsmd-test $^

.PHONY: engine engine-stage
