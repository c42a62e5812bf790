/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the machine was booted: lsmd=off on the kernel's command line, the way in for an administrator whom policies lock out. */
#ifndef LSMD_CONTROL_BOOT_H
#define LSMD_CONTROL_BOOT_H

#include <stdbool.h>

#define BOOT_CMDLINE "/proc/cmdline"

/**
 * boot_is_off() - is "lsmd=off" the last word about lsmd of the kernel's command line?
 * @cmdline: the file to read, BOOT_CMDLINE
 * Words end at white space, but for what stands in double quotes; behind a word "--" they are for init. What cannot be read says nothing.
 */
bool boot_is_off(const char *cmdline);

#endif
