# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For guest tests written in shell: ways to end one, and to wait. Sourced as: . "$(dirname "$0")/lib.sh"
set -u

# fail WHAT: the test fails; WHAT says what was seen
fail()
{
	printf '%s\n' "$*"
	exit 1
}

# skip REASON: this kernel or image cannot run the test
skip()
{
	printf '%s\n' "$*"
	exit 77
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; false where it never did. Processors are slow here.
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}
