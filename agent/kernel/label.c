// SPDX-License-Identifier: LGPL-2.1-or-later
/* The iterators over tasks: giving labels to what ran before, and reading them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

/* Passes until nobody is left; each finds only tasks that were made by one not yet labelled while the pass before ran. */
#define LABEL_PASSES_MAX 32

/* iterator_open() - a descriptor that runs the program over all tasks as it is read */
static int iterator_open(int program_fd)
{
	_cleanup_close_ int link = bpf_link_create(program_fd, 0, BPF_TRACE_ITER, NULL);
	int fd;

	if (link < 0)
		return -errno;
	fd = bpf_iter_create(link);
	return fd < 0 ? -errno : fd;
}

/* read_whole() - exactly @size bytes. Return: 1, 0 at the end, -errno. */
static int read_whole(int fd, void *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, (char *)to + have, size - have);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return have ? -EIO : 0;
		have += n;
	}
	return 1;
}

/* task_pass() - one pass of an iterator that writes the pids of those that it changed. Return: how many, -errno */
static int task_pass(int program_fd)
{
	_cleanup_close_ int fd = iterator_open(program_fd);
	int n = 0, r;
	uint32_t pid;

	if (fd < 0)
		return fd;
	while ((r = read_whole(fd, &pid, sizeof(pid))) > 0)
		n++;
	return r < 0 ? r : n;
}

int label_all(struct kernel *kernel, struct kernel_why *why)
{
	int r = 1;

	for (int pass = 0; pass < LABEL_PASSES_MAX && r > 0; pass++)
		r = task_pass(kernel->label_tasks_fd);
	if (r > 0)
		r = -EAGAIN;
	if (r < 0)
		why_set(why, "cannot label the tasks that run: %s", strerror(-r));
	return r;
}

void files_ask(struct kernel *kernel)
{
	__atomic_fetch_or(&kernel->control->files, LSMD_FILES_ALL, __ATOMIC_SEQ_CST);
}

void files_check(struct kernel *kernel)
{
	int r = 1;

	for (int pass = 0; pass < LABEL_PASSES_MAX && r > 0; pass++)
		r = task_pass(kernel->check_files_fd);
	if (!r)
		__atomic_fetch_and(&kernel->control->files, ~LSMD_FILES_ALL, __ATOMIC_SEQ_CST);
}

int kernel_tasks(struct kernel *kernel, kernel_task_fn fn, void *data)
{
	_cleanup_close_ int fd = iterator_open(kernel->show_labels_fd);
	uint32_t head[2];
	int r;

	if (fd < 0)
		return fd;
	while ((r = read_whole(fd, head, sizeof(head))) > 0) {
		struct kernel_task task = { .pid = head[0], .labelled = head[1] };

		if (task.labelled && read_whole(fd, &task.label, sizeof(task.label)) != 1)
			return -EIO;
		r = fn(data, &task);
		if (r)
			return r;
	}
	return r;
}
