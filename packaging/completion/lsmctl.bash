# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# bash completion for lsmctl; tests/lint holds it to what `lsmctl COMMAND --help` says.

# Options of lsmctl itself and of each command; one that ends in '=' takes a value.
declare -gA _lsmctl_options=(
	[lsmctl]="--settings= --help --version"
	[check]="--abstractions= --force --unsigned --json --quiet --help"
	[test]="--policies= --abstractions= --help"
	[diff]="--abstractions= --json --help"
	[fmt]="--check --help"
	[show]="--abstractions= --json --help"
	[sign]="--key= --new-key= --serial= --root= --output= --force --json --help"
	[reload]="--dry-run --confirm= --force --json --help"
	[confirm]="--help"
	[mode]="--for= --help"
	[status]="--json --help"
	[events]="--follow --last= --policy= --verb= --program= --answer= --since= --columns --json --help"
	[denials]="--policy= --verb= --program= --answer= --since= --top= --from= --json --help"
	[learn]="--exe= --no-children --tight --broad --mode= --output= --abstractions= --from= --help"
	[replay]="--policies= --abstractions= --policy= --verb= --program= --answer= --since= --json --help"
	[promote]="--dry-run --force --since= --from= --json --help"
	[report]="--html= --policy= --verb= --program= --answer= --since= --from= --help"
	[metrics]="--help"
	[explain]="--exe= --pid= --uid= --gid= --unit= --cgroup= --open= --access= --exec= --connect= --device --policies= --abstractions= --json --help"
	[doctor]="--json --help"
	[unload]="--help"
	[help]=""
)

# _lsmctl_command: the command among the words so far, or lsmctl where there is none yet
_lsmctl_command()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--settings) ((i++)) ;;
		-*) ;;
		*) echo "${COMP_WORDS[i]}"; return ;;
		esac
	done
	echo lsmctl
}

# _lsmctl_words LIST: of its words those that go on from what stands there
_lsmctl_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

# _lsmctl_value OPTION: what may stand behind it; false where it takes nothing
_lsmctl_value()
{
	case $1 in
	--settings|--policies|--abstractions|--exe|--open|--exec|--from|--html|--output|--key|--new-key|--root) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	--access) _lsmctl_words "read write append create delete rename link" ;;
	--connect) _lsmctl_words "tcp: udp: sctp: dccp: unix:/ unix:@" ;;
	--pid) mapfile -t COMPREPLY < <(compgen -W "$(ps -e -o pid= 2> /dev/null)" -- "$cur") ;;
	--uid) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	--gid) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
	--mode) _lsmctl_words "audit enforce" ;;
	--answer) _lsmctl_words "denied audit logged" ;;
	--last|--policy|--verb|--program|--since|--top|--serial) ;;
	--confirm|--for) _lsmctl_words "60s 5m 10m 2h" ;;
	*) return 1 ;;
	esac
}

_lsmctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} command options commands="${!_lsmctl_options[*]}"

	COMPREPLY=()
	_lsmctl_value "${COMP_WORDS[COMP_CWORD - 1]}" && return
	command=$(_lsmctl_command)
	options=${_lsmctl_options[$command]-}
	if [[ $cur == -* ]]; then
		_lsmctl_words "${options//=/}"
	elif [[ $command == lsmctl || $command == help ]]; then
		_lsmctl_words "${commands/lsmctl/}"
	else
		case $command in
		check|test|diff|fmt|show) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac
	fi
}

complete -o filenames -F _lsmctl lsmctl
