// SPDX-License-Identifier: GPL-2.0-only
/*
 * All programs as one object. bpftool of libbpf 1.1 cannot link two objects that call the same kernel function, so the files are put
 * together here and not by it.
 */
#include "maps.bpf.c"

#include "attr.bpf.c"
#include "decide.bpf.c"
#include "dpath.bpf.c"
#include "exec.bpf.c"
#include "file.bpf.c"
#include "files.bpf.c"
#include "guard.bpf.c"
#include "label.bpf.c"
#include "mount.bpf.c"
#include "names.bpf.c"
#include "net.bpf.c"
#include "system.bpf.c"
#include "task.bpf.c"
