# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Packages of other Debian suites through the machine's own apt sources, without touching the machine:
# a private apt state that knows the same archives under other suite names.

apt_keyring=${LSMD_VM_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

# apt_site LABEL: base address of the machine's archive with that label ("Debian", "Debian-Security")
apt_site()
{
	apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Identifier: Packages' |
		sed -n "s#^$1|##p" | sed 's#/*$##' | head -n 1
}

# apt_mirror SUITE: address of the archive that carries SUITE; nothing printed where there is none
apt_mirror()
{
	case $1 in
	*-security) echo "${LSMD_VM_SECURITY_MIRROR:-$(apt_site Debian-Security)}" ;;
	*) echo "${LSMD_VM_MIRROR:-$(apt_site Debian)}" ;;
	esac
}

# apt_source SUITE: a line for sources.list; nothing where the machine knows no such archive
apt_source()
{
	local mirror

	mirror=$(apt_mirror "$1")
	[ -n "$mirror" ] || return 0
	echo "deb [signed-by=$apt_keyring] $mirror $1 main"
}

# apt_open DIR SUITE...: a private apt state in DIR, its index read; later apt_* calls use it.
# The end of a signed index is not held against a guest's image: a snapshot's has passed long ago.
apt_open()
{
	local dir=$1 suite

	shift
	[ -e "$apt_keyring" ] || die "no $apt_keyring: install debian-archive-keyring"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
	: > "$dir/status"
	for suite; do
		apt_source "$suite"
	done > "$dir/sources.list"
	[ -s "$dir/sources.list" ] ||
		die "apt's index names no Debian archive: run apt-get update, or set LSMD_VM_MIRROR to an archive"
	cat > "$dir/apt.conf" <<-EOF
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/parts";
		Dir::Etc::preferencesparts "$dir/parts";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
	EOF
	apt_conf=$dir/apt.conf
	apt_run apt-get -q update > "$dir/log" 2>&1 || log_file_error "$dir/log" "cannot read the index of: $*"
}

apt_run() { APT_CONFIG=$apt_conf "$@"; }

# apt_names REGEX: names of packages that match
apt_names() { apt_run apt-cache search --names-only "$1" | cut -d' ' -f1; }

# apt_unpack DIR PACKAGE...: the packages' files under DIR, nothing installed, no script run
apt_unpack()
{
	local dir=$1 debs deb

	shift
	debs=$(mktemp -d "$dir/.debs.XXXXXX")
	(cd "$debs" && apt_run apt-get -q download "$@") > "$debs/log" 2>&1 ||
		log_file_error "$debs/log" "cannot download $*"
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$debs"
}
