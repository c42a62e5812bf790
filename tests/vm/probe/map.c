// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts that get code into a process without executing a program. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <unistd.h>

#define PAGE 4096

static void *mapped(void *at)
{
	before(at == MAP_FAILED ? -1 : 0, "mmap");
	return at;
}

static int map_result(const void *at)
{
	return at == MAP_FAILED ? -errno : 0;
}

static int opened(const char *name)
{
	return before(open(name, O_RDONLY | O_CLOEXEC), name);
}

static int act_map_code(char **args)
{
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, opened(args[0]), 0));
}

static int act_map_code_shared(char **args)
{
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, opened(args[0]), 0));
}

/* First to be read, then as code. */
static int act_map_code_later(char **args)
{
	void *at = mapped(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, opened(args[0]), 0));

	return result_of(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
}

/* A mapping to be read is one as code for a process of this personality: prot differs from reqprot. */
static int act_map_code_implied(char **args)
{
	before(personality(READ_IMPLIES_EXEC), "personality");
	return map_result(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, opened(args[0]), 0));
}

/* The file is gone from its name, its bytes are mapped. */
static int act_map_code_deleted(char **args)
{
	int fd = opened(args[0]);

	before(unlink(args[0]), "unlink");
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
}

/* ---- what no file is behind ---- */

static int act_code_anonymous(char **args)
{
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void *written(int flags)
{
	void *at = mapped(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));

	memset(at, 0xc3, PAGE);
	return at;
}

static int act_code_written(char **args)
{
	return result_of(mprotect(written(MAP_PRIVATE), PAGE, PROT_READ | PROT_EXEC));
}

static int act_code_written_shared(char **args)
{
	return result_of(mprotect(written(MAP_SHARED), PAGE, PROT_READ | PROT_EXEC));
}

static int act_code_stack(char **args)
{
	char here = 0;
	void *page = (void *)((unsigned long)&here & ~(PAGE - 1ul));

	return result_of(mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int act_code_heap(char **args)
{
	char *end = sbrk(2 * PAGE);
	void *page = (void *)(((unsigned long)end + PAGE - 1) & ~(PAGE - 1ul));

	before(end == (void *)-1 ? -1 : 0, "sbrk");
	*(char *)page = 0x43;
	return result_of(mprotect(page, PAGE, PROT_READ | PROT_EXEC));
}

static int memory_file(void)
{
	int fd = before(memfd_create("code", MFD_CLOEXEC), "memfd_create");

	before(ftruncate(fd, PAGE), "ftruncate");
	return fd;
}

static int act_code_memfd(char **args)
{
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, memory_file(), 0));
}

/* One file, mapped twice: written here, run there. */
static int act_code_memfd_twice(char **args)
{
	int fd = memory_file();

	mapped(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
}

/* Anonymous memory that is writable and, by the personality, code at once. */
static int act_code_implied(char **args)
{
	before(personality(READ_IMPLIES_EXEC), "personality");
	return map_result(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* Code that is there already, written over through /proc: what is judged is the open for writing. */
static int act_code_over(char **args)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return result_of(pwrite(fd, "\xc3", 1, (off_t)(unsigned long)act_code_implied));
}

const struct act map_acts[] = {
	{ "map-code", 1, act_map_code },
	{ "map-code-shared", 1, act_map_code_shared },
	{ "map-code-later", 1, act_map_code_later },
	{ "map-code-implied", 1, act_map_code_implied },
	{ "map-code-deleted", 1, act_map_code_deleted },
	{ "code-anonymous", 0, act_code_anonymous },
	{ "code-written", 0, act_code_written },
	{ "code-written-shared", 0, act_code_written_shared },
	{ "code-stack", 0, act_code_stack },
	{ "code-heap", 0, act_code_heap },
	{ "code-memfd", 0, act_code_memfd },
	{ "code-memfd-twice", 0, act_code_memfd_twice },
	{ "code-implied", 0, act_code_implied },
	{ "code-over", 0, act_code_over },
	{},
};
