// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who a task is: its label is decided at exec from the names of what is executed, copied at fork, and given once to what
 * ran before the agent (MEANING.md 7 to 10). Also `exec` itself.
 */
#include "files.h"

/* An exec begins: nothing is known of it yet. Runs once an execve, before any bprm_check_security. */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(lsmd_bprm_creds_for_exec, struct linux_binprm *bprm, int ret)
{
	struct lsmd_exec *exec;
	u64 active = control_active();

	if (ret)
		return ret;
	if (control_standby(active))
		return 0;
	exec = bpf_task_storage_get(&lsmd_execs, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!exec) {
		if (!active)
			return 0;
		denied_unsent(LSMD_COUNT_DENIED_NO_STORAGE);
		return -EPERM; /* its label could not be decided */
	}
	exec->generation = active;
	exec->file = 0;
	exec->rounds = 0;
	exec->label.state = LSMD_LABEL_NONE;
	exec->label.programs.n = 0;
	exec->label.programs.len = 0;
	exec->label.programs.unknown = 0;
	return 0;
}

/* exec_remember() - the name of this round, for the label to come */
static __always_inline void exec_remember(struct lsmd_scratch *s, struct lsmd_exec *exec)
{
	u32 reason = s->name.reason;

	if (reason == LSMD_REASON_PATH_ANONYMOUS)
		return; /* no name, and no subject can mean it */
	if (reason != LSMD_REASON_NONE)
		exec->label.programs.unknown |= LSMD_UNKNOWN_PROGRAM;
	else
		programs_add(s, &exec->label.programs);
}

/*
 * exec_round() - exec->first: is this the first look at the file of this round? While an upgrade attaches programs beside those that run, both
 * sets come by, and share what is remembered.
 */
static __always_inline void exec_round(struct lsmd_exec *exec, struct file *file)
{
	u64 now;

	exec->pointer = (u64)file;
	now = *(volatile u64 *)&exec->pointer;
	exec->first = exec->file != now; /* the file of the round before is still open when the next is: two rounds never look the same */
	exec->file = now;
	exec->rounds += exec->first;
}

/* exec_again_one() - the program whose name is at s->at, by the image that decides now. Return: 0, -EPERM. */
__noinline int exec_again_one(struct lsmd_scratch *s, struct lsmd_programs *programs)
{
	if (!s || !programs)
		return -EPERM;
	s->req.deny_only = s->at > 0;
	s->at = name_load(&s->name, programs, s->at);
	if (!s->at)
		return -EPERM;
	s->name.tree = LSMD_TREE_OBJECT;
	return hook_verdict(s);
}

/*
 * exec_catch_up() - the exec goes on by the image of @active, and so do the programs of the rounds before: a swap came between, and an exec is
 * allowed by one set as a whole. Those rounds were allowed by the set before. Return: 0, -EPERM.
 */
static __always_inline int exec_catch_up(struct lsmd_scratch *s, struct lsmd_exec *exec, u64 active)
{
	u64 i;

	if (exec->generation == active)
		return 0;
	exec->generation = active;
	if (!s->req.n_layers || !exec->rounds)
		return 0;
	s->at = 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LABEL_PROGRAMS_MAX && i < exec->label.programs.n; i++)
		if (exec_again_one(s, &exec->label.programs))
			return -EPERM;
	return 0;
}

/* exec_begin() - s->req for an exec; the label may be nobody's. Return: 0; else what the hook returns is in *ret */
static __always_inline int exec_begin(struct lsmd_scratch *s, struct lsmd_label *label, u64 active, int *ret)
{
	if (label && active && label_fresh(s, label, active, LSMD_ACCESS_EXEC, ret))
		return 1;
	if (label)
		request_start(s, label, active, LSMD_HOOK_BPRM_CHECK_SECURITY, LSMD_ACCESS_EXEC);
	else
		s->req.n_layers = 0;
	if (!active)
		s->req.n_layers = 0;
	return 0;
}

/* exec_decide() - `exec` of the file in s->name, under the label that the task still has */
static __always_inline int exec_decide(struct lsmd_scratch *s, struct task_struct *task, int interpreter)
{
	if (!s->req.n_layers)
		return 0;
	path_home(s, &s->name, task);
	s->req.deny_only = interpreter;
	return hook_verdict(s);
}

/*
 * Once for the program and again for each interpreter that the kernel loads for it. The first is judged by `exec`;
 * allowing a script covers its interpreters, so that those are refused by a deny only (MEANING.md 20).
 */
SEC("lsm/bprm_check_security")
int BPF_PROG(lsmd_bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lsmd_label *label = label_current();
	struct file *file = bprm->file;
	u64 active = control_active();
	struct lsmd_scratch *s;
	struct lsmd_exec *exec;

	if (ret)
		return ret;
	if (control_standby(active))
		return 0;
	exec = bpf_task_storage_get(&lsmd_execs, task, 0, 0);
	if (active && (!exec || !label))
		return task_undecided(active, LSMD_ACCESS_EXEC);
	if (!exec)
		return 0;
	s = scratch_claim();
	if (!s) {
		exec->label.programs.unknown |= LSMD_UNKNOWN_PROGRAM;
		return active ? label_undecided(label->undecided, LSMD_ACCESS_EXEC, LSMD_REASON_NO_SCRATCH) : 0;
	}
	if (!exec_begin(s, label, active, &ret)) {
		ret = exec_catch_up(s, exec, active);
		exec_round(exec, file);
		path_walk_as(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt, task, path_name);
		if (exec->first)
			exec_remember(s, exec);
		if (!ret)
			ret = exec_decide(s, task, exec->rounds > 1);
	}
	scratch_release(s);
	return hook_errno(ret);
}

/* label_hand_down() - what is executed inherits from the task that executes it */
static __always_inline void label_hand_down(struct lsmd_label *next, const struct lsmd_label *label, struct task_struct *task)
{
	int i;

	next->n_inherited = label->n_handed;
	for (i = 0; i < LSMD_LAYERS_MAX; i++)
		next->inherited[i] = label->handed[i];
	next->home = label->n_handed == label->n_kept ? namespace_id(task) : label->home;
	next->flags = 0;
	next->files = 0;
	next->generation = 0;
	next->state = LSMD_LABEL_GIVEN;
}

/* exec_inherit() - the label to come, but for its layers. @label: of the task that executes; @cred: who it will be then. */
static __always_inline void exec_inherit(struct lsmd_scratch *s, struct lsmd_label *next, struct lsmd_label *label, const struct cred *cred,
					 struct task_struct *task, u64 active)
{
	if (active && label_refresh(s, label, task, active))
		next->programs.unknown |= LSMD_UNKNOWN_PROGRAM; /* what is handed down could not be computed */
	label_take_ids(next, cred);
	cgroup_remember(s, &next->programs, task_cgroup(s, task));
	label_hand_down(next, label, task);
}

/* exec_full() - refuse the exec that would put more layers on the task than it can carry (MEANING.md 3). Return: -EPERM. */
static __always_inline int exec_full(struct lsmd_scratch *s, struct lsmd_label *label, u64 active)
{
	request_start(s, label, active, LSMD_HOOK_BPRM_CREDS_FROM_FILE, LSMD_ACCESS_EXEC);
	s->name.reason = LSMD_REASON_PATH_ANONYMOUS; /* its name was walked by another hook */
	scratch_verdict(s, LSMD_ACCESS_EXEC, LSMD_REASON_LAYERS_FULL);
	return -EPERM;
}

/* Runs once an execve, when the last interpreter and the ids of a set-user-ID program are known, and it can still fail. */
SEC("lsm/bprm_creds_from_file")
int BPF_PROG(lsmd_bprm_creds_from_file, struct linux_binprm *bprm, const struct file *file, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lsmd_label *label = label_current();
	u64 active = control_active();
	struct lsmd_scratch *s;
	struct lsmd_exec *exec;

	if (ret)
		return ret;
	if (control_standby(active))
		return 0;
	exec = bpf_task_storage_get(&lsmd_execs, task, 0, 0);
	if (!exec || !label)
		return 0; /* judged already; the label is made when the exec is over */
	s = scratch_claim();
	if (!s)
		return 0; /* the same */
	exec_inherit(s, &exec->label, label, bprm->cred, task, active);
	if (active && !label_compute(s, &exec->label, active, 0) && s->held.overflow)
		ret = exec_full(s, label, active);
	scratch_release(s);
	return hook_errno(ret);
}

/*
 * exec_current() - what the exec at its end is known by. One that began before the first programs were attached is known by the file
 * that runs in the end. NULL: the label has been given, by the other of two sets of programs, or there is no memory.
 */
static __always_inline struct lsmd_exec *exec_current(struct task_struct *task, struct linux_binprm *bprm,
						      struct lsmd_label *label, struct lsmd_scratch *s)
{
	struct lsmd_exec *exec = bpf_task_storage_get(&lsmd_execs, task, 0, 0);
	struct file *file = bprm->file;

	if (exec || (label->state == LSMD_LABEL_GIVEN && label->exec_id == task->self_exec_id))
		return exec;
	exec = bpf_task_storage_get(&lsmd_execs, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!exec) {
		count_add(LSMD_COUNT_NO_LABEL, 1);
		label->programs.unknown = LSMD_UNKNOWN_PROGRAM;
		label->generation = 0;
		return NULL;
	}
	if (s) {
		path_walk_as(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt, task, path_name);
		exec_remember(s, exec);
	}
	return exec;
}

/* exec_late() - make the label that could not be made before the exec was sure to succeed */
static __always_inline void exec_late(struct lsmd_scratch *s, struct lsmd_label *next, struct lsmd_label *label, struct task_struct *task,
				      u64 active)
{
	if (!s || (active && label->state != LSMD_LABEL_GIVEN))
		next->programs.unknown = LSMD_UNKNOWN_PROGRAM | LSMD_UNKNOWN_CGROUP; /* so that all are undecided that could hold it */
	if (s) {
		exec_inherit(s, next, label, task_ids(task), task, active);
		return;
	}
	label_take_ids(next, task_ids(task));
	label_hand_down(next, label, task);
}

/* label_latch() - the label is that of the new program from here on */
static __always_inline void label_latch(struct lsmd_label *label, struct lsmd_exec *exec, struct task_struct *task)
{
	exec->label.exec_id = task->self_exec_id;
	exec->label.state = LSMD_LABEL_CHANGING;
	__sync_lock_test_and_set(&label->state, LSMD_LABEL_CHANGING);
	bpf_probe_read_kernel(label, sizeof(*label), &exec->label);
	__sync_lock_test_and_set(&label->state, LSMD_LABEL_GIVEN);
	bpf_task_storage_delete(&lsmd_execs, task);
	count_add(LSMD_COUNT_LABELLED, 1);
}

/* exec_files() - what the program is given open, under the label that it has from here on; what it was not to have is closed already */
static __always_inline void exec_files(struct lsmd_scratch *s, struct lsmd_label *label, struct task_struct *task, u64 active)
{
	u32 foreign = LSMD_HOLDS_FILES | LSMD_HOLDS_CONNECTIONS;

	if (s && !label_refresh(s, label, task, active)) {
		s->home = label->home;
		user_set(s, task);
		foreign = files_foreign(s, label, active, pointer_number(s, kernel_plain(task)->files));
	}
	if (foreign)
		files_mark(label, foreign);
}

/* The exec can no longer fail: the label becomes that of the new program. */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(lsmd_bprm_committed_creds, struct linux_binprm *bprm, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 active = control_active();
	struct lsmd_scratch *s;
	struct lsmd_label *label;
	struct lsmd_exec *exec;

	if (control_standby(active))
		return 0;
	label = bpf_task_storage_get(&lsmd_labels, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label) {
		count_add(LSMD_COUNT_NO_LABEL, 1);
		return 0; /* a task without a label is undecided from here on */
	}
	s = scratch_claim();
	exec = exec_current(task, bprm, label, s);
	if (exec && exec->label.state != LSMD_LABEL_GIVEN)
		exec_late(s, &exec->label, label, task, active);
	if (exec)
		label_latch(label, exec, task);
	if (exec && active)
		exec_files(s, label, task, active);
	else if (label->files)
		files_mark(label, label->files); /* the other set of programs has looked; ours are to ask, too */
	if (s)
		scratch_release(s);
	return 0;
}

/* The child starts with a copy of its parent's label, threads and io_uring workers too. */
SEC("lsm/task_alloc")
int BPF_PROG(lsmd_task_alloc, struct task_struct *task, unsigned long clone_flags, int ret)
{
	struct lsmd_label *label, *child;

	if (ret)
		return ret;
	if (clone_flags & CLONE_NEWNS && unnamed_decide(LSMD_HOOK_TASK_ALLOC, LSMD_ACCESS_MOUNT))
		return -EPERM;
	label = label_current();
	if (!label)
		return 0; /* older than the agent and not reached by the iterator yet, or undecided: so is the child */
	child = bpf_task_storage_get(&lsmd_labels, task, label, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (child)
		return 0;
	denied_unsent(LSMD_COUNT_DENIED_NO_STORAGE);
	return -EPERM;
}

/* task_name_exe() - what a task runs, as far as can be known afterwards: the file of its program */
static __always_inline void task_name_exe(struct lsmd_scratch *s, struct task_struct *task, struct lsmd_programs *programs)
{
	struct mm_struct *mm = task->mm;
	struct file *file;

	if (!mm)
		return; /* a kernel thread */
	file = mm->exe_file;
	if (!file)
		return;
	path_walk_as(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt, task, path_name_alone);
	if (s->name.reason == LSMD_REASON_NONE)
		programs_add(s, programs);
	else if (s->name.reason != LSMD_REASON_PATH_ANONYMOUS)
		programs->unknown |= LSMD_UNKNOWN_PROGRAM;
}

/*
 * Label what ran before task_alloc was attached. The agent runs it until a pass labels nobody. A task that executes
 * something in the same moment wins: its label is its own to write.
 */
SEC("iter/task")
int lsmd_label_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct lsmd_label *label;
	struct lsmd_scratch *s;
	u32 pid;

	if (!task)
		return 0;
	label = bpf_task_storage_get(&lsmd_labels, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label) {
		count_add(LSMD_COUNT_NO_LABEL, 1);
		return 0;
	}
	if (label->state != LSMD_LABEL_NONE)
		return 0;
	s = scratch_claim();
	if (!s)
		return 0; /* the next pass comes by */
	if (!__sync_val_compare_and_swap(&label->state, LSMD_LABEL_NONE, LSMD_LABEL_CLAIMED)) {
		label->home = namespace_id(task);
		task_name_exe(s, task, &label->programs);
		label_take_ids(label, task_ids(task));
		cgroup_remember(s, &label->programs, task_cgroup(s, task));
		if (__sync_val_compare_and_swap(&label->state, LSMD_LABEL_CLAIMED, LSMD_LABEL_GIVEN) != LSMD_LABEL_CLAIMED)
			label->programs.unknown = LSMD_UNKNOWN_PROGRAM; /* written by both: nothing is certain */
		pid = task->pid;
		bpf_seq_write(ctx->meta->seq, &pid, sizeof(pid));
	}
	scratch_release(s);
	return 0;
}

/* What the agent reads of a task's label: its pid, and whether there is a label. */
SEC("iter/task")
int lsmd_show_labels(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct lsmd_label *label;
	u32 head[2];

	if (!task || task->pid != task->tgid)
		return 0;
	label = bpf_task_storage_get(&lsmd_labels, task, 0, 0);
	head[0] = task->pid;
	head[1] = label && label->state == LSMD_LABEL_GIVEN;
	bpf_seq_write(ctx->meta->seq, head, sizeof(head));
	if (label && head[1])
		bpf_seq_write(ctx->meta->seq, label, sizeof(*label));
	return 0;
}
