# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The kernels we know (kernels.txt) and their directories in the cache.

# kernel_field NAME N: field N of the kernel's line
kernel_field()
{
	awk -v name="$1" -v n="$2" '$1 == name { print $n }' "$vm_dir/kernels.txt"
}

kernel_names() { awk '!/^#/ { print $1 }' "$vm_dir/kernels.txt"; }

# kernel_image NAME: print the directory of a kernel ready to boot (lib/build-kernel says what is in it)
kernel_image()
{
	[ -n "$(kernel_field "$1" 1)" ] || die "no kernel '$1', only: $(kernel_names | xargs)"
	cache_build "kernel-$1" "$(cache_key lib/apt.sh lib/build-kernel initrd kernels.txt)" \
		"$vm_dir/lib/build-kernel" "$1"
}
