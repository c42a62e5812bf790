# SPDX-License-Identifier: LGPL-2.1-or-later
# lsmd: `make help` lists what there is.
PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
VERSION := 0.1.0
B := build
CC ?= gcc
CLANG ?= clang
CFLAGS ?= -O2 -g
PACKAGES := libbpf jansson libcap audit libsystemd

ifeq ($(shell pkg-config --exists $(PACKAGES) cmocka 2>/dev/null && echo yes),yes)
DEP_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
DEP_LIBS := $(shell pkg-config --libs $(PACKAGES)) -lelf -lz
endif
ALL_CFLAGS = -std=gnu17 -Wall -Wextra -Werror=implicit-function-declaration -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -D_GNU_SOURCE -DLSMD_VERSION='"$(VERSION)"' -I. -I$(B) $(DEP_CFLAGS) $(CFLAGS) -MMD -MP

# All objects of a room; main.c of the daemon and of the command are linked apart.
ROOMS := util policy kernel record control ctl
$(foreach r,$(ROOMS),$(eval $(r)_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard agent/$(r)/*.c))))
POLICY_LIB := $(B)/liblsmd-policy.a

all: $(B)/lsmd $(B)/lsmctl

$(POLICY_LIB): $(policy_OBJS) $(util_OBJS)
	@rm -f $@; ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# A unit test is one file that links the policy library: tests/unit/test-X.c tests X.c.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test-*.c))
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(POLICY_LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(DEP_LIBS) -lcmocka

unit: $(UNIT_TESTS)
	@for t in $^; do echo "# $$t"; $$t || exit 1; done

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
