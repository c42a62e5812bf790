// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What this kernel can do, asked without changing anything: lists it shows, types it describes, and one real LSM program that
 * is loaded, never attached, and let go.
 */
#include "agent/kernel/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "agent/util/cleanup.h"
#include "agent/util/log.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define BPFFS "/sys/fs/bpf"

static struct probe_line *line_new(struct probe *probe, const char *what, bool fatal)
{
	struct probe_line *line = &probe->lines[probe->n < PROBE_LINES_MAX - 1 ? probe->n++ : PROBE_LINES_MAX - 1];

	*line = (struct probe_line){ .ok = true, .fatal = fatal };
	snprintf(line->what, sizeof(line->what), "%s", what);
	return line;
}

static void line_found(struct probe_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_found(struct probe_line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(line->found, sizeof(line->found), format, args);
	va_end(args);
}

static void line_fail(struct probe_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_fail(struct probe_line *line, const char *format, ...)
{
	va_list args;

	line->ok = false;
	va_start(args, format);
	vsnprintf(line->mend, sizeof(line->mend), format, args);
	va_end(args);
}

static int text_read(int dir_fd, const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

/*
 * A file of securityfs. Where that is not mounted, a mount of it that is attached nowhere serves as well: nobody else
 * sees it, and it ends with its descriptor.
 */
static int security_read(const char *name, char *text, size_t size)
{
	_cleanup_close_ int fs = -1, mount_fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/security/%s", name);
	if (!text_read(AT_FDCWD, path, text, size))
		return 0;
	fs = fsopen("securityfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0)
		return -errno;
	return text_read(mount_fd, name, text, size);
}

static void probe_version(struct probe *probe)
{
	struct probe_line *line = line_new(probe, "kernel", false);
	struct utsname name;

	if (!uname(&name))
		line_found(line, "%s %s", name.release, name.machine);
}

static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == len && !memcmp(list, word, n))
			return true;
		list += n;
		if (*list)
			list++;
	}
	return false;
}

static void probe_lsm_list(struct probe *probe)
{
	struct probe_line *line = line_new(probe, "bpf among the active LSMs", true);
	char list[160];
	int r = security_read("lsm", list, sizeof(list));

	if (r) {
		line_found(line, "the list cannot be read: %s", strerror(-r));
		line_fail(
			line,
			"run as root; if securityfs is not mounted: mount -t securityfs securityfs /sys/kernel/security");
		return;
	}
	line_found(line, "%.150s", list);
	if (!list_has(list, "bpf"))
		line_fail(line,
			  "add lsm=%.100s,bpf to the kernel command line (Debian: GRUB_CMDLINE_LINUX in "
			  "/etc/default/grub, then update-grub) and reboot",
			  list);
}

static void probe_lockdown(struct probe *probe)
{
	struct probe_line *line = line_new(probe, "lockdown leaves bpf alone", true);
	char text[160];
	int r = security_read("lockdown", text, sizeof(text));

	if (r) {
		line_found(line, r == -ENOENT ? "this kernel has no lockdown" : "cannot be read: %s", strerror(-r));
		return;
	}
	line_found(line, "%.150s", text);
	if (strstr(text, "[confidentiality]"))
		line_fail(line,
			  "programs may not read kernel memory: boot with lockdown=integrity or without lockdown");
}

static struct btf *probe_btf(struct probe *probe)
{
	struct probe_line *line = line_new(probe, "the kernel describes its types (BTF)", true);
	struct btf *btf = btf__load_vmlinux_btf();

	if (btf) {
		line_found(line, "%s, %u types", BTF_FILE, btf__type_cnt(btf));
		return btf;
	}
	line_found(line, "%s: %s", BTF_FILE, strerror(errno));
	line_fail(line, "use a kernel built with CONFIG_DEBUG_INFO_BTF (every Debian kernel is)");
	return NULL;
}

static void probe_bpffs(struct probe *probe)
{
	struct probe_line *line = line_new(probe, "bpf file system at " BPFFS, true);
	struct statfs fs;

	if (!statfs(BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC) {
		line_found(line, "mounted");
		return;
	}
	line_found(line, "not mounted");
	line_fail(line, "mount -t bpf bpf " BPFFS " (systemd does it at boot)");
}

static void probe_jit(struct probe *probe)
{
	struct probe_line *line = line_new(probe, "programs are compiled (JIT)", true);
	char text[16];
	int r = text_read(AT_FDCWD, "/proc/sys/net/core/bpf_jit_enable", text, sizeof(text));

	if (r) {
		line_found(line, r == -ENOENT ? "this kernel has no bpf JIT" : "cannot be read");
		line_fail(line, "use a kernel built with CONFIG_BPF_JIT");
		return;
	}
	line_found(line, "net.core.bpf_jit_enable = %s", text);
	if (text[0] == '0')
		line_fail(line, "sysctl -w net.core.bpf_jit_enable=1");
}

/* Hooks that some supported kernels lack; another hook serves there. */
static bool hook_is_optional(enum lsmd_hook hook)
{
#define X(constant) || hook == LSMD_HOOK_##constant
	return false LSMD_HOOKS_OPTIONAL(X);
#undef X
}

static bool hook_present(const struct btf *btf, const char *name)
{
	char function[64];

	snprintf(function, sizeof(function), "bpf_lsm_%s", name);
	return btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) > 0;
}

static void probe_hooks(struct probe *probe, const struct btf *btf)
{
	static const char *const names[] = {
#define X(constant, name) name,
		LSMD_HOOKS(X)
#undef X
	};
	struct probe_line *line = line_new(probe, "the hooks that policies need", true);
	char missing[160] = "", optional[160] = "";
	size_t n = 0;

	for (size_t i = 0; i < LSMD_N_HOOKS; i++) {
		bool is_optional = hook_is_optional(i);
		char *list = is_optional ? optional : missing;
		size_t size = is_optional ? sizeof(optional) : sizeof(missing), len = strlen(list);

		if (hook_present(btf, names[i]))
			n++;
		else
			snprintf(list + len, size - len, " %s", names[i]);
	}
	line_found(line, "%zu of %d%s%s", n, LSMD_N_HOOKS, *optional ? "; not needed here:" : "", optional);
	if (*missing)
		line_fail(line,
			  "missing:%s; use a kernel built with CONFIG_BPF_LSM, CONFIG_SECURITY_PATH and "
			  "CONFIG_SECURITY_NETWORK",
			  missing);
}

/* "return 0", for a hook that every kernel has. */
static int trial_load(const struct btf *btf)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_LSM_MAC);
	int id = btf__find_by_name_kind(btf, "bpf_lsm_file_open", BTF_KIND_FUNC);
	_cleanup_close_ int fd = -1;

	if (id < 0)
		return id;
	options.attach_btf_id = id;
	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "lsmd_trial", "GPL", program, sizeof(program) / sizeof(*program),
			   &options);
	return fd < 0 ? -errno : 0;
}

static void probe_trial(struct probe *probe, const struct btf *btf)
{
	struct probe_line *line = line_new(probe, "an LSM program loads", true);
	int r = trial_load(btf);

	if (!r) {
		line_found(line, "loaded, not attached, let go");
		return;
	}
	line_found(line, "refused: %s", strerror(-r));
	if (r == -EPERM && geteuid())
		line_fail(line, "run as root");
	else if (r == -EPERM)
		line_fail(
			line,
			"this machine forbids it even to root: a container without CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN, "
			"or a kernel that is locked down for bpf. Use the machine itself, or a virtual one ('make demo')");
	else if (r == -ENOENT || r == -EINVAL)
		line_fail(line, "use a kernel built with CONFIG_BPF_LSM");
	else
		line_fail(line, "see the kernel's log ('dmesg')");
}

int kernel_probe(struct probe *ret)
{
	struct btf *btf;

	*ret = (struct probe){ .able = true };
	libbpf_set_print(NULL);
	probe_version(ret);
	probe_lsm_list(ret);
	probe_lockdown(ret);
	btf = probe_btf(ret);
	if (btf) {
		probe_hooks(ret, btf);
		probe_trial(ret, btf);
		btf__free(btf);
	}
	probe_jit(ret);
	probe_bpffs(ret);
	for (size_t i = 0; i < ret->n; i++)
		if (!ret->lines[i].ok && ret->lines[i].fatal)
			ret->able = false;
	return 0;
}

void probe_log(const struct probe *probe)
{
	for (size_t i = 0; i < probe->n; i++) {
		const struct probe_line *line = &probe->lines[i];

		if (!line->ok)
			log_message(line->fatal ? LOG_ERR : LOG_WARNING, 0, "%s: %s\nmend: %s", line->what, line->found,
				    line->mend);
	}
}
