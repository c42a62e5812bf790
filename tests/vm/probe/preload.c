// SPDX-License-Identifier: LGPL-2.1-or-later
/* A library that ends the program that loads it, with status 0: loaded into `false`, it shows that its code ran. */
#include <unistd.h>

unsigned int la_version(unsigned int version);

unsigned int la_version(unsigned int version)
{
	return version;
}

static void __attribute__((constructor)) loaded(void)
{
	_exit(0);
}
