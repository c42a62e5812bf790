# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the VM scripts say to the person who runs them: all of it on standard error.

log() { printf 'vm: %s\n' "$*" >&2; }

die()
{
	printf 'vm: error: %s\n' "$*" >&2
	exit 1
}

# log_file_error LOG WHAT: the end of a failed step's log, then the end of the script
log_file_error()
{
	tail -n 25 "$1" >&2
	die "$2"
}

# need PROGRAM...: all of them are installed
need()
{
	local program

	for program; do
		command -v "$program" > /dev/null || die "no $program here: tests/vm/deps.txt lists what to install"
	done
}
