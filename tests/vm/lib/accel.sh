# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# KVM or TCG: sets accel. On some machines QEMU aborts or hangs under KVM, so KVM is used only after it has
# booted a stock kernel since this machine started; LSMD_VM_ACCEL=tcg|kvm decides without asking.

accel_probe_limit=20    # seconds; a kernel is up in three

accel_choose()
{
	local verdict=$cache_dir/accel boot

	accel=${LSMD_VM_ACCEL:-}
	case $accel in
	tcg|kvm) return ;;
	'') ;;
	*) die "LSMD_VM_ACCEL is '$accel', not tcg or kvm" ;;
	esac
	boot=$(< /proc/sys/kernel/random/boot_id)
	exec {accel_lock}> "$verdict.lock"
	flock "$accel_lock"
	if ! grep -qs "^$boot " "$verdict"; then
		echo "$boot $(accel_probe)" > "$verdict.new"
		mv "$verdict.new" "$verdict"
	fi
	exec {accel_lock}>&-
	accel=$(cut -d' ' -f2 "$verdict")
}

# accel_probe: "kvm" where a stock kernel comes up to its initial ram disk under it, else "tcg"
accel_probe()
{
	[ -w /dev/kvm ] || { echo tcg; return; }
	log "trying KVM once (at most $accel_probe_limit s)"
	if timeout -k 2 "$accel_probe_limit" qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-no-reboot -machine pc -m 512 -accel kvm -cpu host \
		-kernel "$kernel_dir/vmlinux" -initrd "$kernel_dir/initrd.img" \
		-append "lsmd_vm.probe quiet panic=-1" -device virtio-serial-pci \
		-chardev file,id=channel,path=/dev/stdout -device virtconsole,chardev=channel \
		< /dev/null 2>/dev/null | grep -a lsmd-vm-probe-ok > /dev/null; then
		echo kvm
	else
		log "KVM boots no stock kernel here: using TCG"
		echo tcg
	fi
}
