# SPDX-License-Identifier: LGPL-2.1-or-later
# The whole test run: `make test` needs neither root nor a virtual machine, `make vm` runs the guests, `make check` is both.
# tests/run counts; its last line is "N passed, N failed", and its status tells.
TEST_ENV = B=$(B) KERNELS="$(KERNELS)" ENGINE_BPF="$(ENGINE_BPF)" ENGINE_CASES=$(ENGINE_CASES) ENGINE_SEED=$(ENGINE_SEED)
TEST_BINARIES = $(B)/lsmd $(B)/lsmctl $(UNIT_TESTS) $(ENGINE_DIR)/engine

# What puts test programs into the guests' tree beside what is installed there: targets that use $(STAGE).
VM_STAGE += engine-stage

# make would take them away behind the closing line, and say so.
.SECONDARY: $(UNIT_TESTS:=.o)

test: $(TEST_BINARIES)
	@$(TEST_ENV) tests/run unit golden engine model lint

vm-stage: all
	@rm -rf $(B)/stage
	@$(MAKE) --no-print-directory install DESTDIR=$(B)/stage > $(B)/stage.log 2>&1 || { cat $(B)/stage.log; false; }
	@$(MAKE) --no-print-directory $(VM_STAGE) STAGE=$(B)/stage

vm: vm-stage
	@$(TEST_ENV) tests/run vm

# Nothing is installed here. The Makefile is read again, since `make deps check` has installed the libraries meanwhile.
check:
	@pkg-config --exists $(PACKAGES) cmocka || { echo 'check: libraries are missing: run `make deps` as root first' >&2; false; }
	@$(MAKE) --no-print-directory check-all

check-all: $(TEST_BINARIES) vm-stage
	@$(TEST_ENV) tests/run unit golden engine model lint vm

.PHONY: test vm check check-all vm-stage
