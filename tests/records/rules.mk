# SPDX-License-Identifier: LGPL-2.1-or-later
# What the guest tests of records run: the program that is refused, and what reads the audit log back. Included by the top Makefile.
RECORDS_DIR := $(B)/tests/records

$(RECORDS_DIR)/burst: tests/records/burst.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -Wall -Wextra -D_GNU_SOURCE -static -o $@ $<

records-stage: $(RECORDS_DIR)/burst
	install -D -m 755 -t $(STAGE)/usr/lib/lsmd-test/records $^

VM_STAGE += records-stage
.PHONY: records-stage
