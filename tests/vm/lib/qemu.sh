# SPDX-License-Identifier: LGPL-2.1-or-later
# One run of QEMU. The caller's variables say what is wanted: kernel, kernel_dir, rootfs, accel, cpus, mem,
# limit, icount, shell, cmdline, work (a directory of this run: in.tar, out.disk, console.log, channel).

out_disk_mib=4096       # sparse: it costs what the guest writes

# qemu_lsm: a word for the kernel's command line where the kernel's own list of LSMs lacks bpf
qemu_lsm()
{
	local list

	list=$(sed -n 's/^CONFIG_LSM="\(.*\)"$/\1/p' "$kernel_dir/config")
	case ,$list, in
	*,bpf,*) ;;
	*) echo "lsm=$list,bpf" ;;
	esac
}

# qemu_cmdline: console for the kernel's warnings only, and every oops ends the run
qemu_cmdline()
{
	echo "console=ttyS0 quiet systemd.show_status=false no_timer_check oops=panic panic=-1" \
		"audit=1 audit_backlog_limit=8192 $(qemu_lsm) ${shell:+lsmd_vm.shell} $cmdline"
}

# qemu_accel: the options for the accelerator chosen (accel.sh); counting instructions needs TCG
qemu_accel()
{
	if [ -n "$icount" ]; then
		echo "-accel tcg,thread=single -icount shift=0,sleep=off -smp 1 -cpu $(kernel_field "$kernel" 3)"
	elif [ "$accel" = kvm ]; then
		echo "-accel kvm -smp $cpus -cpu host"
	else
		echo "-accel tcg,thread=multi -smp $cpus -cpu $(kernel_field "$kernel" 3)"
	fi
}

# qemu_disk SERIAL FILE OPTIONS
qemu_disk()
{
	echo "-drive if=none,id=$1,format=raw,cache=unsafe,file=$2,$3 -device virtio-blk-pci,drive=$1,serial=$1"
}

# qemu_channel: where /dev/hvc0 leads. A file and not stdio: a stdio whose input has ended drops all output.
qemu_channel()
{
	if [ -n "$shell" ]; then
		echo "-chardev stdio,id=channel,signal=off"
	else
		echo "-chardev file,id=channel,path=$work/channel"
	fi
}

# qemu_run: returns QEMU's status, 124 or 137 when the limit has passed
qemu_run()
{
	local words

	: > "$work/console.log"
	truncate -s "${out_disk_mib}M" "$work/out.disk"
	# The cache and the work directory are ours, and their names hold no space (accel_choose checks).
	read -ra words <<< "$(qemu_accel) $(qemu_channel) \
		$(qemu_disk root "$rootfs/root.img" snapshot=on) \
		$(qemu_disk modules "$kernel_dir/modules.img" readonly=on) \
		$(qemu_disk in "$work/in.tar" readonly=on) $(qemu_disk out "$work/out.disk" readonly=off)"
	set -- timeout --foreground -k 5 "$limit" qemu-system-x86_64 -nodefaults -no-user-config \
		-display none -no-reboot -machine pc -m "$mem" \
		-kernel "$kernel_dir/vmlinux" -initrd "$kernel_dir/initrd.img" -append "$(qemu_cmdline)" \
		-chardev "file,id=console,path=$work/console.log" -serial chardev:console \
		-device virtio-serial-pci -device virtconsole,chardev=channel "${words[@]}"
	if [ -n "$shell" ]; then
		TMPDIR=$work "$@"
		return
	fi
	mkfifo "$work/channel"
	cat "$work/channel" &
	reader=$!
	TMPDIR=$work "$@" < /dev/null > "$work/qemu.log" 2>&1 &
	qemu=$!
	wait "$qemu" || { set -- $?; qemu=''; cat "$work/qemu.log" >&2; return "$1"; }
	qemu=''
	wait "$reader"
}

# qemu_stop: for a script that is interrupted
qemu_stop()
{
	[ -z "${qemu:-}" ] || kill "$qemu" 2>/dev/null || true
	[ -z "${reader:-}" ] || kill "$reader" 2>/dev/null || true
}
