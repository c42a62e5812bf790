/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /etc/lsmd/lsmd.json: where things lie. Read by the agent and by lsmctl; what it does not say is as PRODUCT says. */
#ifndef LSMD_CONTROL_SETTINGS_H
#define LSMD_CONTROL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/policy/set.h"

#define SETTINGS_FILE "/etc/lsmd/lsmd.json"
#define SETTINGS_PINS "/sys/fs/bpf/lsmd"
#define SETTINGS_SOCKET "/run/lsmd/control.sock"
#define SETTINGS_EVENTS_FILE "/var/log/lsmd/events.jsonl"
#define SETTINGS_SIGNATURE "/etc/lsmd/policies.sig"
#define SETTINGS_SERIAL_FILE "/var/lib/lsmd/serial"
#define SETTINGS_EVENTS_FILE_MIB 16
#define SETTINGS_EVENTS_FILE_KEEP 3
/* Bytes of the file. */
#define SETTINGS_BYTES_MAX (1u << 20)
#define SETTINGS_ABSTRACTIONS_MAX 16
#define SETTINGS_KEYS_MAX 16

struct settings {
	char *file; /* that was read; NULL: absent, all is default */
	char *vendor_dir; /* "vendor_policies"; NULL: the default of set.h */
	char *admin_dir; /* "policies"; NULL: the default */
	char *abstractions[SETTINGS_ABSTRACTIONS_MAX]; /* "abstractions" */
	size_t n_abstractions; /* 0: the default */
	char *pins; /* "pins": directory on a bpf file system */
	char *socket; /* "socket" */
	char *events_file; /* "events_file": JSON lines; "-": standard output; NULL: none */
	uint64_t events_file_mib; /* "events_file_mib": it is turned when it would grow larger */
	uint64_t events_file_keep; /* "events_file_keep": files before it that stay */
	char *metrics_file; /* "metrics_file": for a collector of text files; NULL: none */
	char *signed_by[SETTINGS_KEYS_MAX]; /* "signed_by": files of public keys, one of which has to have signed the policies */
	size_t n_signed_by; /* 0: nobody needs to sign */
	struct seal_key keys[SETTINGS_KEYS_MAX]; /* settings_keys() */
	size_t n_keys;
	char *signature; /* "signature": the seal of the policies */
	char *serial_file; /* "serial_file": where the serial number of the last signed set is remembered */
	bool protect; /* "protect": the guard of process and pins is for everyone but the agent, its unit, and PID 1 */
	bool force; /* "force": start also with a set that `lsmctl reload` takes with --force only */
};

enum {
	SETTINGS_REFUSED = 1, /* the file is wrong; why was printed to @out */
};

/**
 * settings_read() - from @file; NULL: SETTINGS_FILE, which may be absent
 * @out: receives what is wrong, with its place
 * @ret: settings_clear(), also after an error
 * Return: 0, SETTINGS_REFUSED, -errno (-ENOENT for a file that was named and is not there)
 */
int settings_read(const char *file, FILE *out, bool colour, struct settings *ret);
void settings_clear(struct settings *settings);

/** settings_policies() - where the policies lie, borrowed from the settings */
void settings_policies(const struct settings *settings, struct policy_options *ret);

/**
 * settings_keys() - read the public keys that "signed_by" names; once, so that whoever changes a file later changes nothing
 * Return: 0 (also where none is named), SETTINGS_REFUSED (said to @out), -errno
 */
int settings_keys(struct settings *settings, FILE *out);

/**
 * settings_want() - who has to have signed the policies, borrowed; the caller adds what went before
 * Return: false where nobody needs to. Without settings_keys() before, no key is good enough.
 */
bool settings_want(const struct settings *settings, struct seal_want *ret);

/**
 * key_file_read() - a file that holds a key: small, regular, no link, of root or of the caller
 * @secret: nobody but its owner may read it either
 * Return: 0, SETTINGS_REFUSED (said to @out), -errno
 */
int key_file_read(const char *name, bool secret, FILE *out, uint8_t ret[ED25519_KEY_BYTES]);

#endif
