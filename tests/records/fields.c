// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What auparse makes of the audit log: for each USER_AVC of lsmd on standard input one line, "NAME=VALUE" of every field in its order,
 * separated by spaces, the values as auparse interprets them and in hexadecimal digits. A field that auparse cannot read is "BAD".
 */
#include <auparse.h>
#include <libaudit.h>
#include <stdio.h>
#include <string.h>

static void hex_print(const char *text)
{
	for (; *text; text++)
		printf("%02X", (unsigned char)*text);
}

static void record_print(auparse_state_t *state)
{
	auparse_first_field(state);
	do {
		const char *name = auparse_get_field_name(state), *value = auparse_interpret_field(state);

		if (!name || !value) {
			printf("BAD ");
			continue;
		}
		printf("%s=", name);
		hex_print(value);
		putchar(' ');
	} while (auparse_next_field(state) > 0);
	putchar('\n');
}

int main(int argc, char **argv)
{
	auparse_state_t *state = auparse_init(argc > 1 ? AUSOURCE_FILE : AUSOURCE_FILE_POINTER, argc > 1 ? (void *)argv[1] : (void *)stdin);

	if (!state)
		return 1;
	auparse_set_escape_mode(state, AUPARSE_ESC_RAW);
	while (auparse_next_event(state) > 0) {
		if (auparse_first_record(state) <= 0)
			continue;
		do {
			if (auparse_get_type(state) == AUDIT_USER_AVC)
				record_print(state);
		} while (auparse_next_record(state) > 0);
	}
	auparse_destroy(state);
	return 0;
}
