# SPDX-License-Identifier: LGPL-2.1-or-later
# The probe of the guest tests, linked statically: `make probe-stage` puts it where they look for it.
PROBE_SRCS := $(filter-out %/preload.c,$(wildcard tests/vm/probe/*.c))
VM_STAGE += probe-stage

$(B)/tests/vm/lsmd-probe: $(PROBE_SRCS) tests/vm/probe/probe.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE -I. -static -s -pthread -o $@ $(PROBE_SRCS)

# A library whose constructor is all there is to see.
$(B)/tests/vm/lsmd-preload.so: tests/vm/probe/preload.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -Wall -Wextra -shared -fPIC -nostartfiles -o $@ $<

probe-stage: $(B)/tests/vm/lsmd-probe $(B)/tests/vm/lsmd-preload.so
	install -D -m 755 -t $(or $(STAGE),$(B)/stage)/usr/lib/lsmd-test $^

.PHONY: probe-stage
