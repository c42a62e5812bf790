# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
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

# qemu_accel: the accelerator chosen (accel.sh); counting instructions needs TCG and one processor.
# Always one thread for all processors: before QEMU 8.1 a processor that translates code while another one
# patches it can keep a stale int3, so that attaching programs, or only booting 7.2, sometimes panics.
qemu_accel()
{
	if [ -n "$icount" ]; then
		qemu_args+=(-accel tcg,thread=single -icount shift=0,sleep=off -smp 1)
	elif [ "$accel" = kvm ]; then
		qemu_args+=(-accel kvm -smp "$cpus" -cpu host)
		return
	else
		qemu_args+=(-accel tcg,thread=single -smp "$cpus")
	fi
	qemu_args+=(-cpu "$(kernel_field "$kernel" 3)")
}

# qemu_disk SERIAL FILE OPTION: QEMU wants a comma in a file's name doubled
qemu_disk()
{
	qemu_args+=(-drive "if=none,id=$1,format=raw,cache=unsafe,file=${2//,/,,},$3"
		-device "virtio-blk-pci,drive=$1,serial=$1")
}

# qemu_channel: where the guest's /dev/vport0p1 leads, or with a shell /dev/hvc0. A port carries bytes
# unchanged and many times faster than a console. No stdio for it: once its input ends it drops all output.
qemu_channel()
{
	qemu_args+=(-device virtio-serial-pci)
	if [ -n "$shell" ]; then
		qemu_args+=(-chardev stdio,id=channel,signal=off -device virtconsole,chardev=channel)
	else
		mkfifo "$work/channel"
		qemu_args+=(-chardev "file,id=channel,path=${work//,/,,}/channel"
			-device virtserialport,nr=1,chardev=channel)
	fi
}

# qemu_prepare: qemu_args
qemu_prepare()
{
	: > "$work/console.log"
	truncate -s "${out_disk_mib}M" "$work/out.disk"
	qemu_args=(-nodefaults -no-user-config -display none -no-reboot -machine pc -m "$mem"
		-kernel "$kernel_dir/vmlinux" -initrd "$kernel_dir/initrd.img" -append "$(qemu_cmdline)"
		-chardev "file,id=console,path=${work//,/,,}/console.log" -serial chardev:console)
	qemu_accel
	qemu_channel
	qemu_disk root "$rootfs/root.img" snapshot=on
	qemu_disk modules "$kernel_dir/modules.img" readonly=on
	qemu_disk in "$work/in.tar" readonly=on
	qemu_disk out "$work/out.disk" readonly=off
}

# qemu_run: returns QEMU's status, 124 or 137 when the limit has passed. Its scratch files lie in work.
qemu_run()
{
	local status=0

	qemu_prepare
	set -- timeout --foreground -k 5 "$limit" qemu-system-x86_64 "${qemu_args[@]}"
	if [ -n "$shell" ]; then
		TMPDIR=$work "$@"
		return
	fi
	cat "$work/channel" &
	reader=$!
	TMPDIR=$work "$@" < /dev/null > "$work/qemu.log" 2>&1 &
	qemu=$!
	wait "$qemu" || status=$?
	qemu=''
	[ "$status" -eq 0 ] || [ "$status" -eq 124 ] || cat "$work/qemu.log" >&2
	qemu_drain
	return "$status"
}

# qemu_drain: all of the guest's output is out; a QEMU that never opened the channel leaves its reader waiting
qemu_drain()
{
	: <> "$work/channel"
	wait "$reader" || true
	reader=''
}

# qemu_stop: for a script that is interrupted
qemu_stop()
{
	[ -z "${qemu:-}" ] || kill "$qemu" 2>/dev/null || true
	[ -z "${reader:-}" ] || kill "$reader" 2>/dev/null || true
}
