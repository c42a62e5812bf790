# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the tests of the swap share: a place for a held program, policies of it, loops that run meanwhile. Sourced behind lib.sh.
place=/srv/swap
policies=/etc/lsmd/policies.d
tool=/usr/lib/lsmd-test/lsmd-swap
held=$place/held
n_failed=0

# told NAME STATUS SEEN: one result
told()
{
	if [ "$2" -eq 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1 - $3"
		n_failed=$((n_failed + 1))
	fi
}

# is NAME SEEN WANTED
is() { [ "$2" = "$3" ]; told "$1" $? "$2, not $3"; }

# agent_start [BINARY]: and wait until it says that it is ready, with its log in /tmp/agent.log
agent_start()
{
	"${1:-/usr/sbin/lsmd}" --foreground > /tmp/agent.log 2>&1 &
	agent=$!
	wait_for 400 agent_settled || return
	kill -0 "$agent" 2> /dev/null
}

agent_settled() { grep -q 'is ready' /tmp/agent.log || ! kill -0 "$agent" 2> /dev/null; }

agent_stop() { [ -z "${agent:-}" ] || { kill "${1:--TERM}" "$agent" 2> /dev/null; wait "$agent" 2> /dev/null; }; agent=''; }

# policy NAME RULES [ATTRIBUTES]: one that holds $held
policy()
{
	printf '{ "version": 1, "name": "%s", "subject": { "exe": "%s" }, "default": "allow", %s "rules": [ %s ] }\n' \
		"$1" "$held" "${3:-}" "$2"
}

deny_read() { printf '{ "deny": "read", "path": "%s" }' "$1"; }

# opens PATH: ok or refused, as the held program finds it
opens() { "$held" once open "$1"; }

# loop_start NAME KIND ARG...: by the held program, until loops_end
loop_start()
{
	local name=$1

	shift
	nice -n 10 "$held" loop "$@" > "/tmp/loop.$name" 2>&1 & # processors are slow: what is tried comes first
	loops[$name]=$!
}

# loops_end: counts of each are then in /tmp/loop.NAME: allowed, refused, other, the last other error
loops_end()
{
	local name

	for name in "${!loops[@]}"; do
		kill -TERM "${loops[$name]}" 2> /dev/null
	done
	for name in "${!loops[@]}"; do
		wait "${loops[$name]}" 2> /dev/null
		unset "loops[$name]"
	done
}

# loop_never NAME: what no set allows was never done; loop_always NAME: what every set allows never failed
loop_never() { read -r ok no other _ < "/tmp/loop.$1"; [ "$ok" -eq 0 ] && [ "$no" -gt 0 ] && [ "$other" -eq 0 ]; told "$2" $? "allowed, refused, failed: $(cat "/tmp/loop.$1")"; }
loop_always() { read -r ok no other _ < "/tmp/loop.$1"; [ "$ok" -gt 0 ] && [ "$no" -eq 0 ] && [ "$other" -eq 0 ]; told "$2" $? "allowed, refused, failed: $(cat "/tmp/loop.$1")"; }

swap_begin()
{
	declare -gA loops=()
	[ -x "$tool" ] || fail "$tool is not there: make swap-stage"
	systemctl stop lsmd 2> /dev/null
	[ ! -e /sys/fs/bpf/lsmd ] || lsmctl unload > /dev/null
	kept=$(mktemp -d)
	mkdir -p "$policies" "$place"
	find "$policies" -mindepth 1 -maxdepth 1 -exec mv -t "$kept" {} +
	cp "$tool" "$held"
	cp "$tool" "$place/interp"
	echo inside > "$place/secret"
	echo inside > "$place/other"
	echo inside > "$place/always"
	printf '#!%s\n' "$place/interp" > "$place/script"
	chmod 755 "$place/script"
	trap swap_end EXIT
}

swap_end()
{
	loops_end
	agent_stop
	lsmctl unload > /dev/null 2>&1
	rm -rf "${policies:?}"/* "$place"
	find "$kept" -mindepth 1 -maxdepth 1 -exec mv -t "$policies" {} +
}

swap_finish()
{
	[ "$n_failed" -eq 0 ] || fail "$n_failed failed"
	echo "all held"
}
