# SPDX-License-Identifier: LGPL-2.1-or-later
# The table of detours, tried on each kernel by guest test 80-bypass, and on AppArmor with profiles that say the same: written down as a document.
BYPASS_PAGE := docs/bypasses.md
BYPASS_LOGS ?= $(B)/bypass
BYPASS_KERNEL ?= 6.12
BYPASS_APPARMOR := $(B)/bypass/apparmor

bypass-page: bypass-apparmor
	tests/vm/run --only 80-bypass --jobs 1 --logs $(BYPASS_LOGS) $(KERNELS)
	$(MAKE) --no-print-directory bypass-write

# From results that are there: BYPASS_LOGS=build/vm takes those of `make check`.
bypass-write:
	tests/bypass/page $(foreach k,$(KERNELS),$(k)=$(BYPASS_LOGS)/$(k)/out/bypass.tsv) \
		$(addprefix AppArmor=,$(wildcard $(BYPASS_APPARMOR)/out/bypass.tsv)) > $(B)/bypasses.md
	mv $(B)/bypasses.md $(BYPASS_PAGE)

# What profiles need in the guest, from the package that this machine's apt has; nothing is installed here.
$(BYPASS_APPARMOR)/tree:
	@rm -rf $@.new && mkdir -p $@.new/usr $@.new/deb
	cd $@.new && apt-get -q download apparmor && dpkg-deb -x apparmor_*.deb deb
	@cd $@.new && mv deb/sbin usr/sbin && mv deb/etc etc && rm -rf deb etc/init.d apparmor_*.deb
	@mv $@.new $@

bypass-apparmor: vm-stage $(BYPASS_APPARMOR)/tree
	tests/vm/boot --kernel $(BYPASS_KERNEL) --timeout 1200 --out $(BYPASS_APPARMOR)/out --tree $(B)/stage --tree $(BYPASS_APPARMOR)/tree --tree tests:/tests -- \
		/tests/bypass/bypass --system apparmor --results /out/bypass.tsv > $(BYPASS_APPARMOR)/log || { tail -n 1 $(BYPASS_APPARMOR)/log; exit 1; }

.PHONY: bypass-page bypass-write bypass-apparmor
