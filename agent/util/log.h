/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the programs say about themselves, on standard error: one line a message, with the level in front where
 * the journal reads it ("<3>") and in words where a person does. Denials are no log messages, they are records.
 */
#ifndef LSMD_UTIL_LOG_H
#define LSMD_UTIL_LOG_H

#include <stdbool.h>
#include <syslog.h>

/** log_open() - @program stands before each line for people; NULL: nothing does. Borrowed. */
void log_open(const char *program);

/**
 * log_message() - one line at a syslog level; a newline in the text starts another line of the same level
 * @r: negative: its errno text goes behind; else not used
 * Return: @r, so that an error can be said and passed up at once
 */
int log_message(int level, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Messages of a kind that others can cause at will: at most one a second, which says how many it stands for. */
struct log_limit {
	unsigned long long last_s;
	unsigned long long held;
};

/** log_limited() - a warning, or nothing when the last of this kind is less than a second old */
void log_limited(struct log_limit *limit, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_error(r, ...) log_message(LOG_ERR, r, __VA_ARGS__)
#define log_warning(r, ...) log_message(LOG_WARNING, r, __VA_ARGS__)
#define log_notice(...) ((void)log_message(LOG_NOTICE, 0, __VA_ARGS__))
#define log_info(...) ((void)log_message(LOG_INFO, 0, __VA_ARGS__))

#endif
