# SPDX-License-Identifier: LGPL-2.1-or-later
# The demo: what is missing is installed, everything is built, and the story is told in a throw-away virtual machine.
DEMO_KERNEL ?= 6.1

demo:
	@MAKE='$(MAKE_COMMAND)' tests/demo/demo --build $(B) --kernel $(DEMO_KERNEL)

demo-shell:
	@MAKE='$(MAKE_COMMAND)' tests/demo/demo --build $(B) --kernel $(DEMO_KERNEL) --shell

.PHONY: demo demo-shell
