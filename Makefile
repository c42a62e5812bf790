# SPDX-License-Identifier: LGPL-2.1-or-later
# lsmd: `make help` lists what there is to make.
PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
VERSION := 0.1.0
B := build
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
CFLAGS ?= -O2 -g
PACKAGES := libbpf jansson libcap libsystemd libcrypto
# Without libaudit records go to the other logs; WITH_AUDIT= leaves it out where it is there.
WITH_AUDIT ?= $(shell pkg-config --exists audit && echo yes)
KERNELS ?= 6.1 6.12 7.2

# Debian packages: to build, to test, and (tests/vm/deps.txt) to make virtual machines.
BUILD_DEPS := gcc make clang llvm bpftool pkg-config libbpf-dev libelf-dev zlib1g-dev libjansson-dev libcap-dev libaudit-dev libsystemd-dev libssl-dev
TEST_DEPS := libcmocka-dev python3-jsonschema python3-prometheus-client libauparse-dev spin

ifeq ($(shell pkg-config --exists $(PACKAGES) && echo yes),yes)
DEP_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) $(if $(WITH_AUDIT),audit))
DEP_LIBS := $(shell pkg-config --libs $(PACKAGES) $(if $(WITH_AUDIT),audit)) -lelf -lz
else
ifneq ($(filter-out deps help clean,$(or $(MAKECMDGOALS),all)),)
ifeq ($(filter demo demo-shell check,$(MAKECMDGOALS)),)
$(error libraries are missing: run `make deps` as root first)
endif
endif
endif

SANITIZE_FLAGS :=
ifdef SANITIZE
SANITIZE_FLAGS := -fsanitize=address,undefined -fno-omit-frame-pointer
endif
ifdef COVERAGE
SANITIZE_FLAGS := --coverage
endif
ALL_CFLAGS = -std=gnu17 -Wall -Wextra -Werror=implicit-function-declaration -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -D_GNU_SOURCE -DLSMD_VERSION='"$(VERSION)"' -I. -I$(B) $(DEP_CFLAGS) $(CFLAGS) $(SANITIZE_FLAGS) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(SANITIZE_FLAGS)

ROOMS := util policy kernel record control ctl
$(foreach r,$(ROOMS),$(eval $(r)_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard agent/$(r)/*.c))))
record_OBJS := $(filter-out $(B)/agent/record/$(if $(WITH_AUDIT),audit-fallback,audit).o,$(record_OBJS))
POLICY_LIB := $(B)/liblsmd-policy.a
AGENT_LIB := $(B)/liblsmd-agent.a

all: $(B)/lsmd $(B)/lsmctl

help:
	@echo 'make              build lsmd and lsmctl'
	@echo 'make deps         install what building and testing need (root, apt)'
	@echo 'make demo         see the whole job in a throw-away virtual machine'
	@echo 'make demo-shell   a root shell in that machine, with the policy in force'
	@echo 'make test         the tests that need neither root nor a virtual machine'
	@echo 'make vm           the tests on stock kernels in virtual machines (KERNELS="$(KERNELS)")'
	@echo 'make check        all of them'
	@echo 'make soak         a million denials in a burst, then the swap under load for hours (RELOADS=10000), in virtual machines'
	@echo 'make bypass-page  try every known detour on each kernel and on AppArmor, and write docs/bypasses.md'
	@echo 'make learning-page  learn policies of real services at every level, try attacks on them, and write the table of docs/learning.md'
	@echo 'make bench        what a decision costs, here'
	@echo 'make lint         our own conventions, and cppcheck'
	@echo 'make install      DESTDIR= PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR)'

deps:
	@packaging/deps $(BUILD_DEPS) $(TEST_DEPS) $$(cat tests/vm/deps.txt)

# The kernel side, twice: typed loads through bpf_rdonly_cast() (since 6.2), and reads by helper (6.1).
BPF_ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -I. -Wall -Wno-unused-function -Wno-gnu-variable-sized-type-not-at-end
BPF_SRCS := $(wildcard lsm/hook/*.c lsm/hook/*.h lsm/core/*.h lsm/abi/*.h)
$(B)/bpf/lsmd-cast.o: BPF_VARIANT :=
$(B)/bpf/lsmd-probe.o: BPF_VARIANT := -DLSMD_PROBE_READS
$(B)/bpf/lsmd-cast.o $(B)/bpf/lsmd-probe.o: $(BPF_SRCS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) $(BPF_VARIANT) -c lsm/hook/lsmd.bpf.c -o $@
	@llvm-strip -g $@

$(B)/bpf/lsmd-%.skel.h: $(B)/bpf/lsmd-%.o
	$(BPFTOOL) gen skeleton $< name lsmd_$* > $@ || { rm -f $@; false; }

$(B)/agent/kernel/load.o: $(B)/bpf/lsmd-cast.skel.h $(B)/bpf/lsmd-probe.skel.h

$(POLICY_LIB): $(policy_OBJS) $(util_OBJS)
$(AGENT_LIB): $(kernel_OBJS) $(record_OBJS) $(control_OBJS)
$(POLICY_LIB) $(AGENT_LIB):
	@rm -f $@; ar rcs $@ $^

$(B)/lsmd: $(B)/agent/main.o $(AGENT_LIB) $(POLICY_LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)
$(B)/lsmctl: $(ctl_OBJS) $(AGENT_LIB) $(POLICY_LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# A unit test is one file: tests/unit/test-X.c tests X.c.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test-*.c))
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(AGENT_LIB) $(POLICY_LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS) -lcmocka
.PRECIOUS: $(B)/tests/unit/%.o $(B)/bpf/lsmd-%.o $(B)/bpf/lsmd-%.skel.h

include tests/bench/rules.mk
include tests/bypass/rules.mk
include tests/demo/rules.mk
include tests/engine/rules.mk
include tests/fuzz/rules.mk
include tests/records/rules.mk
include tests/swap/rules.mk

unit: $(UNIT_TESTS)
	@for t in $^; do echo "# $$t"; $$t || exit 1; done

include tests/lint/rules.mk
include tests/vm/rules.mk
include tests/rules.mk

install: all
	install -D -m 755 $(B)/lsmd $(DESTDIR)$(PREFIX)/sbin/lsmd
	install -D -m 755 $(B)/lsmctl $(DESTDIR)$(PREFIX)/bin/lsmctl
	install -D -m 644 packaging/systemd/lsmd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/lsmd.service
	install -D -m 644 packaging/catalog/lsmd.catalog $(DESTDIR)$(PREFIX)/lib/systemd/catalog/lsmd.catalog
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lsmd/schema schema/*.json
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lsmd/abstractions policies/abstractions/*.json
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/lsmd/policies policies/*.json
	install -d -m 755 $(DESTDIR)$(SYSCONFDIR)/lsmd/policies.d $(DESTDIR)$(SYSCONFDIR)/lsmd/abstractions $(DESTDIR)$(PREFIX)/share/lsmd/policies.d
	test -e $(DESTDIR)$(SYSCONFDIR)/lsmd/lsmd.json || install -D -m 644 packaging/lsmd.json $(DESTDIR)$(SYSCONFDIR)/lsmd/lsmd.json
	for page in $(wildcard packaging/man/*.[1-8]); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	$(if $(wildcard packaging/completion/lsmctl.bash),install -D -m 644 packaging/completion/lsmctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lsmctl)
	$(if $(wildcard packaging/completion/_lsmctl),install -D -m 644 packaging/completion/_lsmctl $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_lsmctl)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(B)

-include $(shell find $(B)/agent $(B)/tests -name '*.d' -type f 2>/dev/null)
.PHONY: all help deps unit install format clean
