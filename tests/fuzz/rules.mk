# SPDX-License-Identifier: LGPL-2.1-or-later
# `make fuzz` runs each target for FUZZ_SECONDS, from tests/fuzz/corpus/TARGET on where there is one. Included by the top Makefile. What is
# found lies in $(B)/fuzz/TARGET.crash-*; once mended it goes to the corpus.
FUZZ_SECONDS ?= 60
FUZZ_DIR := $(B)/fuzz
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz-*.c))
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_OBJS := $(patsubst %.c,$(FUZZ_DIR)/%.o,$(wildcard agent/policy/*.c agent/util/*.c))

$(FUZZ_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) -std=gnu17 -D_GNU_SOURCE -DLSMD_VERSION='"$(VERSION)"' -I. $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_DIR)/fuzz-%: $(FUZZ_DIR)/tests/fuzz/fuzz-%.o $(FUZZ_OBJS)
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(DEP_LIBS)

fuzz: $(addprefix $(FUZZ_DIR)/,$(FUZZ_TARGETS))
	@for t in $(FUZZ_TARGETS); do \
		mkdir -p $(FUZZ_DIR)/corpus/$$t; echo "# $$t"; \
		$(FUZZ_DIR)/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=30 -artifact_prefix=$(FUZZ_DIR)/$$t. \
			-print_final_stats=1 -verbosity=0 $(FUZZ_DIR)/corpus/$$t \
			$$(ls -d tests/fuzz/corpus/$$t 2>/dev/null) || exit 1; \
	done

# What the targets are made of is kept for the next run.
.SECONDARY: $(FUZZ_OBJS) $(FUZZ_TARGETS:%=$(FUZZ_DIR)/tests/fuzz/%.o)
.PHONY: fuzz
