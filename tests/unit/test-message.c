// SPDX-License-Identifier: LGPL-2.1-or-later
/* message.c: any bytes are refused or read, within their length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/message.h"

static void messages_come_back(void **state)
{
	_cleanup_buf_ struct buf out = {};
	json_t *json = json_pack("{s:s, s:i}", "request", "ping", "n", 7), *back;
	size_t used, first;

	assert_int_equal(message_add(&out, json, MESSAGE_REQUEST_MAX), 0);
	first = out.len;
	assert_int_equal(message_add(&out, json, MESSAGE_REQUEST_MAX), 0);
	for (size_t len = 0; len < first; len++)
		assert_int_equal(message_take(out.bytes, len, MESSAGE_REQUEST_MAX, &back, &used), MESSAGE_PARTIAL);
	assert_int_equal(message_take(out.bytes, out.len, MESSAGE_REQUEST_MAX, &back, &used), 0);
	assert_int_equal(used, first);
	assert_true(json_equal(json, back));
	json_decref(back);
	json_decref(json);
}

static int take(const char *text, size_t max)
{
	_cleanup_buf_ struct buf in = {};
	uint32_t len = strlen(text);
	json_t *json;
	size_t used;
	int r;

	buf_add(&in, &len, sizeof(len));
	buf_add_string(&in, text);
	r = message_take(in.bytes, in.len, max, &json, &used);
	if (!r)
		json_decref(json);
	return r;
}

static void bad_messages_are_refused(void **state)
{
	assert_int_equal(take("{}", 100), 0);
	assert_int_equal(take("[]", 100), MESSAGE_MALFORMED);
	assert_int_equal(take("", 100), MESSAGE_MALFORMED);
	assert_int_equal(take("{\"a\":1,\"a\":2}", 100), MESSAGE_MALFORMED);
	assert_int_equal(take("{\"a\":\"\xff\"}", 100), MESSAGE_MALFORMED);
	assert_int_equal(take("{} {}", 100), MESSAGE_MALFORMED);
	assert_int_equal(take("{\"a\":[[[[[[[1]]]]]]]}", 100), 0);
	assert_int_equal(take("{\"a\":[[[[[[[[1]]]]]]]]}", 100), MESSAGE_MALFORMED);
	assert_int_equal(take("{\"a\":\"[[[[[[[[[[[[[[\"}", 100), 0);
	assert_int_equal(take("{\"long\":\"xxxxxxxxxxxxxxxxx\"}", 10), MESSAGE_TOO_LARGE);
}

static void large_messages_are_not_sent(void **state)
{
	_cleanup_buf_ struct buf out = {};
	json_t *json = json_pack("{s:s}", "a", "0123456789");

	assert_int_equal(message_add(&out, json, 10), MESSAGE_TOO_LARGE);
	assert_int_equal(out.len, 0);
	json_decref(json);
}

static void any_bytes_are_survived(void **state)
{
	char bytes[48];

	srand(5);
	for (int i = 0; i < 200000; i++) {
		size_t len = rand() % sizeof(bytes), used = 0;
		uint32_t n = rand() % 60;
		char *exact;
		json_t *json;
		int r;

		for (size_t k = 0; k < len; k++)
			bytes[k] = rand() % 2 ? rand() : "{}[]\":,\\a1"[rand() % 10];
		if (len >= sizeof(n))
			memcpy(bytes, &n, sizeof(n));
		exact = malloc(len + !len);
		memcpy(exact, bytes, len);
		r = message_take(exact, len, 50, &json, &used);
		if (!r) {
			assert_in_range(used, MESSAGE_HEAD, len);
			json_decref(json);
		}
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(large_messages_are_not_sent),
		cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
