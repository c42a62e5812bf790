# SPDX-License-Identifier: LGPL-2.1-or-later
# A stock kernel made ready to boot in QEMU: unpacked once (so that no boot pays for it), with an initial
# ram disk of busybox and the few modules a root disk needs, and all its modules as a disk of their own.
#
# The directory holds: vmlinux, vmlinux.btf, initrd.img, modules.img, config, release.

# kernel_field NAME N: field N of the kernel's line in kernels.txt
kernel_field()
{
	awk -v name="$1" -v n="$2" '$1 == name { print $n }' "$vm_dir/kernels.txt"
}

kernel_names() { awk '!/^#/ { print $1 }' "$vm_dir/kernels.txt"; }

# kernel_image NAME: print the directory of a kernel ready to boot
kernel_image()
{
	[ -n "$(kernel_field "$1" 1)" ] || die "no kernel '$1', only: $(kernel_names | xargs)"
	cache_build "kernel-$1" "$(cache_key lib/apt.sh lib/kernel.sh initrd kernels.txt)" kernel_build "$1"
}

# kernel_build DIR NAME
kernel_build()
{
	local dir=$1 name=$2 work=$1/.work release

	mkdir -p "$work/root"
	# shellcheck disable=SC2046
	apt_open "$work/apt" $(kernel_field "$name" 2 | tr , ' ')
	release=$(kernel_find "$name")
	log "kernel-$name: $release"
	kernel_fetch "$work/root" "$release"
	echo "$release" > "$dir/release"
	cp "$work/root/boot/config-$release" "$dir/config"
	kernel_unpack "$work/root/boot/vmlinuz-$release" > "$dir/vmlinux"
	objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$dir/vmlinux" "$dir/vmlinux.btf"
	kernel_modules "$work" "$release" "$dir/modules.img"
	kernel_initrd "$work" "$release" "$dir/initrd.img"
	rm -rf "$work"
}

# kernel_find NAME: the newest release of that line in the suites
kernel_find()
{
	local regex="^linux-image-${1//./\\.}\\..*-cloud-amd64\$" release

	release=$(apt_names "$regex" | sort -V | tail -n 1)
	[ -n "$release" ] ||
		die "no kernel $1 in $(kernel_field "$1" 2) of $(apt_mirror sid); set LSMD_VM_MIRROR to an archive with it"
	echo "${release#linux-image-}"
}

# kernel_fetch DIR RELEASE: newer kernels are packed in parts; linux-image-* then holds no file
kernel_fetch()
{
	local dir=$1 parts

	parts=$(apt_names "^linux-(image|binary|modules|base)-${2//[.+]/\\&}\$")
	# shellcheck disable=SC2086
	apt_unpack "$dir" $parts busybox-static
	[ -e "$dir/boot/vmlinuz-$2" ] || die "no boot/vmlinuz-$2 in: $parts"
}

# kernel_number FILE OFFSET BYTES: an unsigned little-endian number of the boot header
kernel_number() { od -An -t "u$3" -j "$(($2))" -N "$3" "$1" | tr -d ' '; }

# kernel_unpack VMLINUZ: the ELF file in it. Offsets: Documentation/arch/x86/boot.rst; the last four
# bytes of the payload are its unpacked size, no part of the compressed stream.
kernel_unpack()
{
	local sectors start length

	sectors=$(kernel_number "$1" 0x1f1 1)
	start=$(kernel_number "$1" 0x248 4)
	length=$(kernel_number "$1" 0x24c 4)
	start=$(((sectors + 1) * 512 + start))
	tail -c "+$((start + 1))" "$1" | head -c "$((length - 4))" > "$1.payload"
	case $(head -c 4 "$1.payload" | od -An -t x1 | tr -d ' ') in
	02214c18) lz4 -dc "$1.payload" ;;
	28b52ffd) zstd -dcq "$1.payload" ;;
	fd377a58) xz -dc "$1.payload" ;;
	1f8b*) gzip -dc "$1.payload" ;;
	*) die "$1: compressed in a way this script does not know" ;;
	esac
}

# kernel_modules WORK RELEASE IMAGE: all modules as a disk, to be mounted on /usr/lib/modules
kernel_modules()
{
	local root=$1/root

	if [ ! -d "$root/usr/lib/modules" ]; then
		mkdir -p "$root/usr/lib"
		mv "$root/lib/modules" "$root/usr/lib/modules"
	fi
	[ -e "$root/lib" ] || ln -s usr/lib "$root/lib"
	[ -d "$root/lib/modules" ] || ln -s ../usr/lib/modules "$root/lib/modules"
	depmod -b "$root" "$2"
	truncate -s "$(($(du -sm "$root/usr/lib/modules" | cut -f1) * 5 / 4 + 16))M" "$3"
	mkfs.ext4 -q -O ^has_journal -m 0 -E lazy_itable_init=1 -d "$root/usr/lib/modules" "$3"
}

# kernel_initrd WORK RELEASE IMAGE
kernel_initrd()
{
	local dir=$1/initrd module

	mkdir -p "$dir"/{bin,dev,lib,proc,root,sys}
	cp "$1"/root/{usr/,}bin/busybox "$dir/bin/" 2>/dev/null || [ -e "$dir/bin/busybox" ]
	cp "$vm_dir/initrd/init" "$dir/init"
	for module in virtio_pci virtio_blk virtio_console ext4; do
		modprobe -d "$1/root" -S "$2" --show-depends "$module" || die "no module $module in $2"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | kernel_initrd_modules "$dir"
	(cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 > "$3"
}

# kernel_initrd_modules DIR: the modules named on standard input, uncompressed, in loading order
kernel_initrd_modules()
{
	local path name

	while read -r path; do
		name=${path##*/}
		name=${name%%.ko*}.ko
		case $path in
		*.xz) xz -dc "$path" ;;
		*.zst) zstd -dcq "$path" ;;
		*) cat "$path" ;;
		esac > "$1/lib/$name"
		echo "$name"
	done > "$1/lib/order"
}
