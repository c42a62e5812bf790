# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# How the story is told: numbered steps, commands with their output, a mark for each check. LSMD_DEMO_COLOUR is set where
# the reader sits at a terminal, LSMD_DEMO_WIDTH is its width, LSMD_DEMO_MARKS=ascii where it has no check marks.
set -u -o pipefail
PATH=${BASH_SOURCE[0]%/*}:$PATH

n_steps=0 n_checks=0 n_failed=0
status=0        # of the last command shown
seen=''         # its output
step_start=0

bold='' dim='' green='' red='' plain='' good='✓' bad='✗'
if [ -n "${LSMD_DEMO_COLOUR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
[ "${LSMD_DEMO_MARKS:-}" != ascii ] || good='[ok]' bad='[FAILED]'

# step TITLE
step()
{
	step_end
	step_start=$SECONDS
	printf '\n%s%2d. %s%s\n' "$bold" "$((++n_steps))" "$1" "$plain"
}

step_end()
{
	[ "$n_steps" -eq 0 ] || printf '    %s(%d s)%s\n' "$dim" "$((SECONDS - step_start))" "$plain"
}

# say TEXT...: what the reader should know
say() { printf '    %s\n' "$@"; }

# shown TEXT: what a command printed
shown()
{
	local text=$1

	[ -n "$text" ] || return 0
	[ -z "${LSMD_DEMO_WIDTH:-}" ] ||
		text=$(fold -s -w "$((LSMD_DEMO_WIDTH > 48 ? LSMD_DEMO_WIDTH - 8 : 40))" <<< "$text")
	printf '      %s%s%s\n' "$dim" "${text//$'\n'/"$plain"$'\n'"      $dim"}" "$plain"
}

# run COMMAND: a line of shell, shown with what it prints; sets seen and status
run()
{
	printf '    $ %s\n' "$1"
	quiet "$1"
	shown "$seen"
}

# run_long COMMAND: the same for one that takes its time
run_long()
{
	printf '    $ %s\n' "$1"
	patience quiet "$1"
	shown "$seen"
}

# quiet COMMAND: the same, not shown
quiet()
{
	status=0
	seen=$(bash -o pipefail -c "$1" 2>&1) || status=$?
}

# patience COMMAND...: on a terminal, seconds pass before the reader's eyes meanwhile
patience()
{
	local ticker result=0

	[ -n "${LSMD_DEMO_WIDTH:-}" ] || { "$@"; return; }
	(
		start=$SECONDS
		while sleep 1; do
			printf '\r\e[K      %s%d s%s' "$dim" "$((SECONDS - start))" "$plain"
		done
	) &
	ticker=$!
	"$@" || result=$?
	kill "$ticker"
	wait "$ticker" 2>/dev/null
	printf '\r\e[K'
	return "$result"
}

# check WHAT COMMAND...: is it so? Where it is not, what was seen is shown.
check()
{
	local what=$1

	shift
	n_checks=$((n_checks + 1))
	if "$@"; then
		printf '    %s%s%s %s\n' "$green" "$good" "$plain" "$what"
		return
	fi
	n_failed=$((n_failed + 1))
	printf '    %s%s %s%s\n' "$red" "$bad" "$what" "$plain"
	printf '      asked: %s\n      status %d, seen:\n' "$*" "$status"
	printf '%s\n' "$seen" | tail -n 20 | sed 's/^/      | /'
	return 1
}

# What a check can ask of the last command.
succeeded() { [ "$status" -eq 0 ]; }
ended_with() { [ "$status" -eq "$1" ]; }
said() { grep -q -e "$1" <<< "$seen"; }
said_all()
{
	local words

	for words; do
		grep -qF -e "$words" <<< "$seen" || return
	done
}
not_said() { ! grep -q -e "$1" <<< "$seen"; }
says() { [ "$seen" = "$1" ]; }

# wait_for SECONDS COMMAND...: until COMMAND succeeds; false where it never did
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# story_tell STEP...: one after the other, up to the first in which something is not as told; ends with the sum
story_tell()
{
	local part

	for part; do
		"$part"
		[ "$n_failed" -eq 0 ] || break
	done
	step_end
	printf '\n%s%d checks, %d failed%s\n' "$bold" "$n_checks" "$n_failed" "$plain"
	[ "$n_failed" -eq 0 ]
}
