# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The guests' root file system: one for all kernels.

# rootfs_image: print the directory that holds root.img
rootfs_image()
{
	cache_build rootfs "$(cache_key lib/apt.sh lib/build-rootfs packages.txt rootfs)" "$vm_dir/lib/build-rootfs"
}
