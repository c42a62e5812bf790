# SPDX-License-Identifier: LGPL-2.1-or-later
# `make bench`: what a decision costs on this machine, side by side with Landlock and plain system calls; needs root, attaches nothing.
# Included by the top Makefile.
BENCH_DIR := $(B)/tests/bench
BENCH_SRCS := $(addprefix tests/bench/,bench.c compile-sizes.c load.c peers.c plain.c plan.c policies.c report.c scene.c series.c side.c table.c)
BENCH_JSON ?= $(B)/bench/bench.json
BENCH_PAGE ?= docs/performance.md
BENCH_RECORDS_PAGE ?= docs/records.md
BPFTOOL ?= bpftool

$(BENCH_DIR)/%.bpf.o: tests/bench/%.bpf.c $(BPF_SRCS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
	@llvm-strip -g $@

$(BENCH_DIR)/%.skel.h: $(BENCH_DIR)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name lsmd_$* > $@ || { rm -f $@; false; }

$(B)/tests/bench/side.o: $(BENCH_DIR)/bench.skel.h
$(B)/tests/bench/load.o: $(BENCH_DIR)/load.skel.h

$(BENCH_DIR)/bench: $(BENCH_SRCS:%.c=$(B)/%.o) $(AGENT_LIB) $(POLICY_LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

$(BENCH_DIR)/compile: $(B)/tests/bench/compile.o $(POLICY_LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

$(BENCH_DIR)/verify: $(B)/tests/bench/verify.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

$(BENCH_DIR)/records: $(B)/tests/bench/records.o $(AGENT_LIB) $(POLICY_LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

# CLANG_VERSION: a figure of BPF code is one of its compiler, too.
bench: $(BENCH_DIR)/bench $(BENCH_DIR)/compile $(BENCH_DIR)/records
	@mkdir -p $(dir $(BENCH_JSON)) $(dir $(BENCH_PAGE))
	@CLANG_VERSION="$$($(CLANG) --version | head -n 1)" $< $(BENCH_JSON) $(BENCH_PAGE)
	@$(BENCH_DIR)/records $(BENCH_RECORDS_PAGE)

.PRECIOUS: $(BENCH_DIR)/%.bpf.o $(BENCH_DIR)/%.skel.h
.PHONY: bench
