# SPDX-License-Identifier: LGPL-2.1-or-later
# What the guest tests of records run: the program that is refused, and what reads the audit log back. Included by the top Makefile.
RECORDS_DIR := $(B)/tests/records

$(RECORDS_DIR)/burst: tests/records/burst.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -Wall -Wextra -D_GNU_SOURCE -static -o $@ $<

$(RECORDS_DIR)/fields: tests/records/fields.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -Wall -Wextra -D_GNU_SOURCE -o $@ $< -lauparse -laudit

records-stage: $(RECORDS_DIR)/burst $(RECORDS_DIR)/fields
	install -D -m 755 -t $(STAGE)/usr/lib/lsmd-test/records $^

VM_STAGE += records-stage

# A million denials in a burst, once on one kernel: as 60-records.test does it, only larger.
SOAK_KERNEL ?= 6.12
soak: vm-stage
	tests/vm/boot --kernel $(SOAK_KERNEL) --timeout 3600 --tree $(STAGE) --tree tests:/tests -- \
		env LSMD_KERNEL=$(SOAK_KERNEL) BURST=1000000 /tests/vm/guest/60-records.test

# Policies learned at every level, and the table in docs/learning.md.
LEARNING_KERNEL ?= 6.12
LEARNING_LOGS := $(B)/learning
learning-page: vm-stage
	rm -rf $(LEARNING_LOGS)
	for level in tight normal broad; do \
		tests/vm/boot --kernel $(LEARNING_KERNEL) --timeout 1200 --tree $(STAGE) --tree tests:/tests --out $(LEARNING_LOGS)/$$level -- \
			sh -c 'LEVEL='$$level' /tests/vm/guest/64-learn.test && LEVELS='$$level' /tests/vm/guest/66-services.test' || exit; done
	sort -s -k 1,1 $(LEARNING_LOGS)/*/services.tsv > $(LEARNING_LOGS)/services.tsv
	tests/records/learning-page docs/learning.md $(LEARNING_LOGS)/services.tsv

.PHONY: records-stage soak learning-page
