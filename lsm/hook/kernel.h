/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types that the hooks look at. Only names and types matter: every access is relocated against the BTF of
 * the kernel that loads the program, so members that are not used are left out, and the build needs no kernel's BTF.
 */
#ifndef LSMD_HOOK_KERNEL_H
#define LSMD_HOOK_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

enum {
	false = 0,
	true = 1,
};
typedef _Bool bool;

/* include/uapi/linux/bpf.h */
enum bpf_map_type {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
	};
	const unsigned char *name;
};

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

typedef struct seqcount_spinlock {
	seqcount_t seqcount;
} seqcount_spinlock_t;

struct list_head {
	struct list_head *next;
};

struct super_block {
	unsigned long s_flags;
	unsigned long s_magic;
	struct list_head s_mounts;
};

/* Since 6.18 the mounts of a superblock hang together by a pointer each. */
struct super_block___first {
	struct mount *s_mounts;
};

struct inode {
	unsigned long i_ino;
	unsigned short i_mode;
	u32 i_rdev;
	struct super_block *i_sb;
};

struct dentry {
	unsigned int d_flags;
	seqcount_spinlock_t d_seq;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_iname[32];
	struct super_block *d_sb;
};

/* Since 6.13 the inline name is a union. */
union shortname_store {
	unsigned char string[40];
};

struct dentry___short {
	union shortname_store d_shortname;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
	struct mount *mnt_master;
	struct list_head mnt_instance;
};

struct mount___next {
	struct mount *mnt_next_for_sb;
};

struct ns_common {
	unsigned int inum;
};

/* Since 6.18 every namespace has a number that is never given twice. */
struct ns_common___id {
	u64 ns_id;
};

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
};

/* Before that, mount namespaces had one of their own. */
struct mnt_namespace___seq {
	u64 seq;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_flags;
	unsigned int f_mode;
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 val;
} kgid_t;

struct cred {
	kuid_t uid;
	kuid_t euid;
	kgid_t egid;
};

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
};

/* Since 6.15 the parent is read under RCU, and its name says so. */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	unsigned long flags;
	u32 status;
};

struct mm_struct {
	struct file *exe_file;
};

struct anon_vma;

struct vm_area_struct {
	struct file *vm_file;
	struct anon_vma *anon_vma;
	unsigned long vm_flags;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

/* Who is signalled when a file is ready. Since 6.12 it stands apart from the file, and is made with the first owner. */
enum pid_type {
	PIDTYPE_TGID = 1, /* those above are groups */
};

struct fown_struct {
	struct pid *pid;
	enum pid_type pid_type;
};

struct file___owned {
	struct fown_struct f_owner;
};

struct file___owner {
	struct fown_struct *f_owner;
};

struct tty_driver {
	int major;
	int minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
};

struct signal_struct {
	struct tty_struct *tty;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	unsigned int in_execve : 1;
	struct mm_struct *mm;
	int pid;
	int tgid;
	struct pid *thread_pid;
	struct task_struct *real_parent;
	u64 start_boottime;
	struct task_struct *group_leader;
	const struct cred *real_cred; /* of the task itself: never overridden, whatever the kernel does on its behalf */
	const struct cred *cred;
	struct css_set *cgroups;
	char comm[16];
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid;
	unsigned int sessionid;
	unsigned long long self_exec_id;
};

struct iattr {
	unsigned int ia_valid;
};

struct bpf_map {
	char name[16];
};

struct bpf_prog_aux {
	char name[16];
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct linux_binprm {
	struct file *file;
	struct file *executable;
	struct file *interpreter;
	struct cred *cred;
};

struct in6_addr {
	union {
		u32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	unsigned short skc_family;
	u32 skc_rcv_saddr;
	u32 skc_daddr;
	u16 skc_num;
	u16 skc_dport;
	struct in6_addr skc_v6_rcv_saddr;
	struct in6_addr skc_v6_daddr;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
	struct pid *sk_peer_pid;
};

struct socket {
	short type;
	struct sock *sk;
};

struct sockaddr {
	unsigned short sa_family;
};

struct unix_address {
	int len;
};

struct unix_sock {
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long orig_ax;
	unsigned long bx;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long r9;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
	int syscallno;
};
#endif

struct user_namespace;
struct kernel_siginfo;
struct rlimit;
union bpf_attr;
struct bpf_iter_meta;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

#pragma clang attribute pop

#define EPERM 1

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_SMC 43

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_DCCP 33
#define IPPROTO_SCTP 132
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP 262

/* include/uapi/asm-generic/fcntl.h; x86 and arm64 agree on these */
#define O_ACCMODE 3
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_TMPFILE_BIT 020000000
#define F_SETFL 4
#define F_SETOWN 8
#define F_SETSIG 10
#define F_SETOWN_EX 15
#define FASYNC 020000
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define TIOCLINUX 0x541c
#define TIOCSTI 0x5412
#define FIOASYNC 0x5452

/* include/linux/fs.h */
#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_EXEC 0x20 /* in f_flags too, only for opens that the kernel makes in order to execute */
#define FMODE_CREATED 0x100000
#define MAY_WRITE 2
#define MAY_READ 4
#define RENAME_EXCHANGE 2

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFCHR 0020000
#define S_IFDIR 0040000
#define S_IFBLK 0060000

#define SB_NOUSER (1ul << 31) /* nobody can mount it: pipes, memfds, namespaces */
#define ATTR_TIMES_SET (1 << 16)
#define ATTR_TOUCH (1 << 17)

/* include/linux/mount.h, dcache.h, sched.h, mm.h, mman.h */
#define MNT_INTERNAL 0x4000
#define MNT_NS_INTERNAL (-22l) /* fs/mount.h: mounts of the kernel's own, which no user can name */
#define DCACHE_OP_HASH 1
#define PF_KTHREAD 0x00200000
#define CLONE_NEWNS 0x00020000
#define PF_IO_WORKER 0x00000010
#define TS_COMPAT 2
#define TIF_32BIT (1ul << 22) /* of arm64 */
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_TYPE 0x0f
#define MAP_SHARED 1
#define MAP_SHARED_VALIDATE 3
#define VM_WRITE 2
#define VM_EXEC 4
#define VM_SHARED 8

#define SIGKILL 9

/*
 * kernel_plain() - the same object, of which the verifier no longer knows that it can be trusted. Reading a pointer out of one that it trusts makes
 * it look in the kernel's BTF, from one end to the other and up to four times, whether what is read can be trusted too (6.3 and later):
 * two thirds of the time that it took for all programs. Nobody here needs to know.
 */
#ifdef LSMD_PROBE_READS
#define kernel_plain(object) (object)
#else
extern void *bpf_rdonly_cast(const void *object, u32 btf_id) __attribute__((section(".ksyms")));
#define kernel_plain(object) ((typeof(object))bpf_rdonly_cast((object), bpf_core_type_id_kernel(typeof(*(object)))))
#endif

#endif
