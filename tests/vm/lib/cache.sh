# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The cache of images: one directory an image, named by what it is and by a hash of its recipe.

cache_dir=${LSMD_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/lsmd-vm}
cache_keep_days=14

# cache_key FILE...: hash of the recipe's files, names included
cache_key()
{
	(cd "$vm_dir" && find "$@" -type f | LC_ALL=C sort | xargs -d '\n' sha256sum) | sha256sum | cut -c1-12
}

# cache_build NAME KEY PROGRAM [ARG]...: print the entry's directory, built first where it is missing.
# PROGRAM fills the directory given as its first argument; a failed one leaves nothing behind.
cache_build()
{
	local name=$1 entry=$cache_dir/$1-$2 temp start=$SECONDS

	shift 2
	mkdir -p "$cache_dir"
	exec {cache_lock}> "$cache_dir/$name.lock"
	flock -n "$cache_lock" || { log "$name: waiting for another build of it"; flock "$cache_lock"; }
	if [ ! -d "$entry" ]; then
		log "$name: building (kept in $cache_dir)"
		cache_drop_temps "$name"
		temp=$(mktemp -d "$cache_dir/.$name.XXXXXX")
		if ! "$1" "$temp" "${@:2}" >&2; then
			rm -rf "$temp"
			die "$name: not built"
		fi
		chmod 755 "$temp"
		mv -T "$temp" "$entry"
		log "$name: built in $((SECONDS - start)) s, $(du -sh "$entry" | cut -f1)"
	fi
	touch "$entry"
	cache_prune "$name" "$entry"
	exec {cache_lock}>&-
	echo "$entry"
}

# cache_drop_temps NAME: what a killed build left; the caller holds the lock, so nobody works in them
cache_drop_temps()
{
	rm -rf "$cache_dir/.$1".??????
}

# cache_prune NAME ENTRY: drop entries of older recipes that no checkout has used for some time
cache_prune()
{
	find "$cache_dir" -mindepth 1 -maxdepth 1 -type d -name "$1-????????????" ! -path "$2" \
		-mtime +"$cache_keep_days" -exec rm -rf {} +
}
