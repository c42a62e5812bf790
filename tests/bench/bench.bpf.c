// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bodies of hooks as iterators over the open files of the process that reads: the same functions that the LSM programs are made
 * of, under a section name that kernels load which refuse LSM programs. Nothing is attached.
 *
 * Each program runs once for every descriptor from bench_first_fd on. The time of an empty program over the same descriptors is
 * what the iterator itself takes.
 */
#define LSMD_WHOLE
#include "lsm/hook/lsmd.bpf.c"

/* include/linux/bpf.h, kernel/bpf/task_iter.c */
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd __attribute__((aligned(8)));
	struct file *file;
} __attribute__((preserve_access_index));

/* Types of the image: the skeleton's reader knows them. */
const volatile lsmd_u32 bench_first_fd = 1024;

/* What the runs gave: shows that a body decided what it was timed for. */
lsmd_u64 bench_runs;
lsmd_u64 bench_refused;

/* The aim of connections. */
lsmd_u8 bench_address[28] __attribute__((aligned(8)));
lsmd_u32 bench_address_len;

static __always_inline struct file *bench_file(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;

	return file && ctx->fd >= bench_first_fd ? file : NULL;
}

static __always_inline int bench_count(int ret)
{
	bench_runs++;
	if (ret)
		bench_refused++;
	return 0;
}

SEC("iter/task_file")
int bench_empty(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);

	return file ? bench_count(0) : 0;
}

SEC("iter/task_file")
int bench_file_open(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);

	return file ? bench_count(____lsmd_file_open(NULL, file, 0)) : 0;
}

SEC("iter/task_file")
int bench_use(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);

	return file ? bench_count(____lsmd_file_permission(NULL, file, MAY_READ, 0)) : 0;
}

/* The parts of bench_file_open, each with all that comes before it. */

SEC("iter/task_file")
int bench_label(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);
	u64 active = control_active();
	struct lsmd_label *label;

	if (!file || !file_access(file))
		return 0;
	label = label_current();
	return bench_count(!label || label->generation != active || !label->n_layers);
}

SEC("iter/task_file")
int bench_claim(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);
	u64 active = control_active();
	struct lsmd_label *label;
	struct lsmd_scratch *s;

	if (!file || !file_access(file))
		return 0;
	label = label_current();
	if (!label || label->generation != active || !label->n_layers)
		return 0;
	s = scratch_claim();
	if (s)
		scratch_release(s);
	return bench_count(!s);
}

static __always_inline struct lsmd_scratch *bench_enter(struct file *file)
{
	u32 wanted = file ? file_access(file) : 0;
	int ret;

	return wanted ? hook_enter(LSMD_HOOK_FILE_OPEN, wanted, &ret) : NULL;
}

SEC("iter/task_file")
int bench_enter_leave(struct bpf_iter__task_file *ctx)
{
	struct lsmd_scratch *s = bench_enter(bench_file(ctx));

	if (!s)
		return 0;
	scratch_release(s);
	return bench_count(0);
}

SEC("iter/task_file")
int bench_walk(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);
	struct lsmd_scratch *s = bench_enter(file);
	int ret;

	if (!s)
		return 0;
	path_walk(s, &s->name, file->f_path.dentry, file->f_path.mnt);
	ret = s->name.reason;
	scratch_release(s);
	return bench_count(ret);
}

SEC("iter/task_file")
int bench_find(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);
	struct lsmd_scratch *s = bench_enter(file);
	int ret;

	if (!s)
		return 0;
	path_walk(s, &s->name, file->f_path.dentry, file->f_path.mnt);
	ret = s->name.reason || !path_find(s->req.image, &s->name, &s->found[0]);
	scratch_release(s);
	return bench_count(ret);
}

SEC("iter/task_file")
int bench_empty_socket(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);

	return file ? bench_count(!bpf_sock_from_file(file)) : 0;
}

SEC("iter/task_file")
int bench_connect(struct bpf_iter__task_file *ctx)
{
	struct file *file = bench_file(ctx);
	struct socket *sock = file ? bpf_sock_from_file(file) : NULL;

	if (!sock)
		return 0;
	return bench_count(____lsmd_socket_connect(NULL, sock, (struct sockaddr *)bench_address, bench_address_len, 0));
}
