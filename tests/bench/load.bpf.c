// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every hook's body as an iterator, to be loaded and never run: what the verifier takes for all of them, on a kernel that
 * refuses LSM programs and extensions; and what they share, as four iterators more. Arguments have the types that the hooks have; where they come from does not matter.
 */
#define LSMD_SHARED_PROGRAM(function) __noinline
#include "lsm/hook/lsmd.bpf.c"

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd __attribute__((aligned(8)));
	struct file *file;
} __attribute__((preserve_access_index));

/* A number that nobody knows, each time anew. */
volatile lsmd_u32 load_unknown;

#define KERNEL_CAST(type, from) ((type *)bpf_rdonly_cast((from), bpf_core_type_id_kernel(type)))

/* LOAD(hook, arguments…): load_HOOK is a program with the body of lsmd_HOOK. */
#define LOAD(hook, ...)                                                                                 \
	SEC("iter/task_file")                                                                           \
	int load_##hook(struct bpf_iter__task_file *ctx)                                                \
	{                                                                                               \
		struct file *file = ctx->file;                                                          \
		int ret;                                                                                \
                                                                                                        \
		if (!file)                                                                              \
			return 0;                                                                       \
		ret = ____lsmd_##hook(NULL, __VA_ARGS__, (int)load_unknown);                         \
		LSMD_KEEP(ret);                                                                         \
		return 0;                                                                               \
	}

/* The same where a socket is needed. */
#define LOAD_SOCKET(hook, ...)                                                                          \
	SEC("iter/task_file")                                                                           \
	int load_##hook(struct bpf_iter__task_file *ctx)                                                \
	{                                                                                               \
		struct file *file = ctx->file;                                                          \
		struct socket *sock = file ? bpf_sock_from_file(file) : NULL;                           \
		int ret;                                                                                \
                                                                                                        \
		if (!sock || !sock->sk)                                                                 \
			return 0;                                                                       \
		ret = ____lsmd_##hook(NULL, __VA_ARGS__, (int)load_unknown);                         \
		LSMD_KEEP(ret);                                                                         \
		return 0;                                                                               \
	}

#define FILE_PATH (&file->f_path)
#define FILE_DENTRY (file->f_path.dentry)

LOAD(file_open, file)
LOAD(file_receive, file)
LOAD(file_permission, file, load_unknown)
LOAD(file_fcntl, file, load_unknown, load_unknown)
LOAD(file_ioctl, file, load_unknown, load_unknown)
LOAD(file_ioctl_compat, file, load_unknown, load_unknown)
LOAD(file_mprotect, KERNEL_CAST(struct vm_area_struct, file), load_unknown, load_unknown)
LOAD(mmap_file, file, load_unknown, load_unknown, load_unknown)
LOAD(file_truncate, file)
LOAD(path_truncate, FILE_PATH)
LOAD(path_unlink, FILE_PATH, FILE_DENTRY)
LOAD(path_rmdir, FILE_PATH, FILE_DENTRY)
LOAD(path_mkdir, FILE_PATH, FILE_DENTRY, load_unknown)
LOAD(path_mknod, FILE_PATH, FILE_DENTRY, load_unknown, 0)
LOAD(path_symlink, FILE_PATH, FILE_DENTRY, NULL)
LOAD(path_link, FILE_DENTRY, FILE_PATH, FILE_DENTRY)
LOAD(path_rename, FILE_PATH, FILE_DENTRY, FILE_PATH, FILE_DENTRY, load_unknown)
LOAD(path_chmod, FILE_PATH, load_unknown)
LOAD(path_chown, FILE_PATH, load_unknown, load_unknown)
LOAD(inode_setattr, NULL, FILE_DENTRY, KERNEL_CAST(struct iattr, file))
LOAD(inode_setattr_older, FILE_DENTRY, KERNEL_CAST(struct iattr, file))
LOAD(inode_setxattr, NULL, FILE_DENTRY, NULL, NULL, load_unknown, load_unknown)
LOAD(inode_removexattr, NULL, FILE_DENTRY, NULL)
LOAD(inode_set_acl, NULL, FILE_DENTRY, NULL, NULL)
LOAD(inode_remove_acl, NULL, FILE_DENTRY, NULL)
LOAD(inode_file_setattr, FILE_DENTRY, NULL)
LOAD(bprm_creds_for_exec, KERNEL_CAST(struct linux_binprm, file))
LOAD(bprm_check_security, KERNEL_CAST(struct linux_binprm, file))
LOAD(bprm_creds_from_file, KERNEL_CAST(struct linux_binprm, file), file)
LOAD(bprm_committed_creds, KERNEL_CAST(struct linux_binprm, file))
LOAD(task_alloc, bpf_get_current_task_btf(), load_unknown)
LOAD(task_kill, bpf_get_current_task_btf(), NULL, load_unknown, NULL)
LOAD(ptrace_access_check, bpf_get_current_task_btf(), load_unknown)
LOAD(ptrace_traceme, bpf_get_current_task_btf())
LOAD(capable, bpf_get_current_task_btf()->cred, NULL, load_unknown, load_unknown)
LOAD(kernel_module_request, NULL)
LOAD(bpf, load_unknown, NULL)
LOAD(task_setnice, bpf_get_current_task_btf(), load_unknown)
LOAD(task_setioprio, bpf_get_current_task_btf(), load_unknown)
LOAD(task_setscheduler, bpf_get_current_task_btf())
LOAD(task_setrlimit, bpf_get_current_task_btf(), load_unknown, NULL)
LOAD(task_movememory, bpf_get_current_task_btf())
LOAD(locked_down, load_unknown)
LOAD(perf_event_open, load_unknown)
LOAD(bpf_map, KERNEL_CAST(struct bpf_map, file), load_unknown)
LOAD(bpf_prog, KERNEL_CAST(struct bpf_prog, file))
LOAD(file_send_sigiotask, bpf_get_current_task_btf(), NULL, load_unknown)
LOAD(userns_create, NULL)
LOAD(socket_create, load_unknown, load_unknown, load_unknown, load_unknown)
LOAD_SOCKET(socket_bind, sock, KERNEL_CAST(struct sockaddr, file), load_unknown)
LOAD_SOCKET(socket_connect, sock, KERNEL_CAST(struct sockaddr, file), load_unknown)
LOAD_SOCKET(socket_listen, sock, load_unknown)
LOAD_SOCKET(socket_accept, sock, sock)
LOAD_SOCKET(socket_sendmsg, sock, KERNEL_CAST(struct msghdr, file), load_unknown)
LOAD_SOCKET(socket_recvmsg, sock, KERNEL_CAST(struct msghdr, file), load_unknown, load_unknown)
LOAD_SOCKET(sctp_bind_connect, sock->sk, load_unknown, KERNEL_CAST(struct sockaddr, file), load_unknown)
LOAD_SOCKET(unix_stream_connect, sock->sk, sock->sk, sock->sk)
LOAD_SOCKET(unix_may_send, sock, sock)
LOAD(sb_mount, NULL, FILE_PATH, NULL, load_unknown, NULL)
LOAD(sb_remount, KERNEL_CAST(struct super_block, file), NULL)
LOAD(sb_umount, file->f_path.mnt, load_unknown)
LOAD(move_mount, FILE_PATH, FILE_PATH)
LOAD(sb_pivotroot, FILE_PATH, FILE_PATH)

/* What the bodies share: LSMD_SHARED(). */
#define LOAD_SHARED(function, ...)                                                    \
	SEC("iter/task_file")                                                         \
	int load_##function(struct bpf_iter__task_file *ctx)                          \
	{                                                                             \
		struct lsmd_label *label = label_current();                           \
		struct lsmd_scratch *s = scratch_claim();                             \
		int ret;                                                              \
                                                                                      \
		if (!s)                                                               \
			return 0;                                                     \
		ret = function##_shared(__VA_ARGS__);                                 \
		LSMD_KEEP(ret);                                                       \
		LSMD_KEEP(label);                                                     \
		scratch_release(s);                                                   \
		return 0;                                                             \
	}

LOAD_SHARED(scratch_allowed, s)
LOAD_SHARED(scratch_verdict, s, load_unknown, load_unknown)
LOAD_SHARED(label_compute, s, label, load_unknown, load_unknown)
LOAD_SHARED(path_name, s, &s->name, load_unknown, load_unknown, load_unknown)
