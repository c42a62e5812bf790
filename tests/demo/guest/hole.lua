-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What an attacker sends through the hole: system calls made by the worker itself. The last line, which says what to
-- do with them, is added by "attack".
local ffi = require "ffi"
local C = ffi.C

ffi.cdef [[
	int open(const char *name, int flags, ...);
	int close(int fd);
	long read(int fd, void *bytes, size_t len);
	long write(int fd, const void *bytes, size_t len);
	int socket(int family, int type, int protocol);
	int connect(int fd, const char *address, unsigned len);
	int pipe(int fds[2]);
	int fork(void);
	int dup2(int from, int to);
	int execve(const char *path, const char *const *argv, const char *const *envp);
	void _exit(int status);
	int link(const char *name, const char *other);
	int mount(const char *from, const char *to, const char *type, unsigned long flags, const void *data);
	int memfd_create(const char *name, unsigned flags);
	char *strerror(int number);
]]

local O_RDONLY, AF_INET, SOCK_STREAM, MS_BIND = 0, 2, 1, 4096

local function failed(what)
	return what .. ": " .. ffi.string(C.strerror(ffi.errno()))
end

-- All that comes from a descriptor; closes it.
local function drain(fd)
	local bytes, text = ffi.new("char[4096]"), ""
	local n = C.read(fd, bytes, 4096)

	while n > 0 do
		text = text .. ffi.string(bytes, n)
		n = C.read(fd, bytes, 4096)
	end
	C.close(fd)
	return n < 0 and text .. failed("read") or text
end

local function file(name)
	local fd = C.open(name, O_RDONLY)

	return fd < 0 and failed("open " .. name) or drain(fd)
end

-- In the new process: standard output into the pipe, then the program.
local function become(path, argv, to)
	local why

	C.dup2(to, 1)
	C.dup2(to, 2)
	C.execve(path, argv, ffi.new("const char *[1]"))
	why = failed("exec " .. path)
	C.write(1, why, #why)
	C._exit(126)
end

local function run(path, ...)
	local words = { path, ... }
	local argv = ffi.new("const char *[?]", #words + 1)
	local fds = ffi.new("int[2]")
	local pid

	for i, word in ipairs(words) do
		argv[i - 1] = word
	end
	C.pipe(fds)
	pid = C.fork()
	if pid == 0 then
		become(path, argv, fds[1])
	end
	C.close(fds[1])
	return pid < 0 and failed("fork") or drain(fds[0])
end

-- The greeting of whoever listens on 127.0.0.1.
local function call(port)
	local address = "\2\0" .. string.char(math.floor(port / 256), port % 256, 127, 0, 0, 1) .. ("\0"):rep(8)
	local fd = C.socket(AF_INET, SOCK_STREAM, 0)

	return C.connect(fd, address, 16) < 0 and failed("connect to 127.0.0.1:" .. port) or drain(fd)
end

local function link(name, other)
	return C.link(name, other) < 0 and failed("link " .. name) or file(other)
end

local function bind(from, to)
	return C.mount(from, to, nil, MS_BIND, nil) < 0 and failed("mount " .. from) or "mounted"
end

-- A program that is in no file: copied into memory and run from there.
local function run_copy(path, ...)
	local fd, bytes = C.memfd_create("x", 0), file(path)

	return C.write(fd, bytes, #bytes) < #bytes and failed("write") or run("/proc/self/fd/" .. fd, ...)
end

