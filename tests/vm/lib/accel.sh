# SPDX-License-Identifier: LGPL-2.1-or-later
# KVM or TCG: sets accel. QEMU aborts or hangs under KVM on some machines, so KVM is used only after it has
# booted a stock kernel since this machine started; LSMD_VM_ACCEL=tcg|kvm decides without asking.

accel_choose()
{
	accel=${LSMD_VM_ACCEL:-}
	case $accel in
	tcg|kvm) return ;;
	'') ;;
	*) die "LSMD_VM_ACCEL is '$accel', not tcg or kvm" ;;
	esac
	accel=tcg
}
