# SPDX-License-Identifier: LGPL-2.1-or-later
# What the guest tests of the swap run: the load, linked statically, and agents of other versions. `make swap-stage` puts them where the
# tests look for them. `make soak` runs the swap test for hours. Included by the top Makefile.
SWAP_DIR := $(B)/tests/swap
VM_STAGE += swap-stage

$(SWAP_DIR)/lsmd-swap: tests/swap/loop.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE -static -o $@ $<

# Agents of other versions are this one but for: programs of another build ("other"); programs whose labels look different ("labels");
# images of the next layout ("image"). Each is made of the objects that differ, in front of the library.
$(SWAP_DIR)/labels/%.o: BPF_VARIANT += -Dexec_id=exec_id_of_another_version
$(SWAP_DIR)/other/lsmd-probe.o $(SWAP_DIR)/labels/lsmd-probe.o $(SWAP_DIR)/image/lsmd-probe.o: BPF_VARIANT += -DLSMD_PROBE_READS
$(SWAP_DIR)/%.o: $(BPF_SRCS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) $(BPF_VARIANT) -c lsm/hook/lsmd.bpf.c -o $@
	@llvm-strip -g $@
	@echo $* > $@.mark && llvm-objcopy --add-section .lsmd.mark=$@.mark $@

$(SWAP_DIR)/%.skel.h: $(SWAP_DIR)/%.o
	$(BPFTOOL) gen skeleton $< name lsmd_$(subst lsmd-,,$(notdir $*)) > $@ 2> $@.log || { cat $@.log; rm -f $@; false; }

SWAP_IMAGE_SRCS := agent/policy/image.c agent/policy/image-verify.c agent/kernel/replace.c
$(SWAP_DIR)/image/lsmd: SWAP_VARIANT := -DLSMD_IMAGE_VERSION=1000
$(SWAP_DIR)/image/lsmd: SWAP_SRCS := $(SWAP_IMAGE_SRCS)
$(SWAP_DIR)/image/lsmd: $(SWAP_IMAGE_SRCS)
$(SWAP_DIR)/%/lsmd: $(SWAP_DIR)/%/lsmd-cast.skel.h $(SWAP_DIR)/%/lsmd-probe.skel.h agent/kernel/load.c $(B)/agent/main.o $(AGENT_LIB) $(POLICY_LIB)
	@rm -rf $(@D)/bpf && mkdir -p $(@D)/bpf && cp $(@D)/*.skel.h $(@D)/bpf
	$(CC) -I$(@D) $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(SWAP_VARIANT) $(ALL_LDFLAGS) -o $@ $(B)/agent/main.o agent/kernel/load.c \
		$(SWAP_SRCS) $(AGENT_LIB) $(POLICY_LIB) $(DEP_LIBS)

SWAP_AGENTS := other labels image
swap-stage: $(SWAP_DIR)/lsmd-swap $(SWAP_AGENTS:%=$(SWAP_DIR)/%/lsmd)
	install -D -m 755 -t $(or $(STAGE),$(B)/stage)/usr/lib/lsmd-test $(SWAP_DIR)/lsmd-swap
	for a in $(SWAP_AGENTS); do install -D -m 755 $(SWAP_DIR)/$$a/lsmd $(or $(STAGE),$(B)/stage)/usr/lib/lsmd-test/lsmd-$$a || exit 1; done

.PRECIOUS: $(SWAP_DIR)/%.skel.h $(SWAP_DIR)/%.o
soak: soak-swap
soak-swap: vm-stage
	@tests/swap/soak $(KERNELS)

.PHONY: swap-stage soak soak-swap
