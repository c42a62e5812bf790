# SPDX-License-Identifier: LGPL-2.1-or-later
# `make lint`: our own conventions as checks, and cppcheck and shellcheck where they are installed. Included by the top Makefile.
lint: $(B)/lsmctl
	@B=$(B) tests/lint/run

.PHONY: lint
