/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other programs in the place of those that run (agent/kernel/replace.c), with an agent that is killed between any two steps and started again.
 * A call runs the programs that were attached when it began, to the end, however late: it is not under RCU between two of them.
 * Property: each call is decided by at least one set of programs, and both decide by whole images of their own.
 *
 * Mutation that must fail: OLD_STANDS_BY (the old programs stop to decide before they are detached).
 */
#define OLD 1
#define NEW 2

byte attached = OLD;         /* sets in the trampoline of a hook */
bool old_active = true, new_active = false;
bool new_pinned = false, old_pinned = true;
byte kills;

inline may_be_killed()
{
	if
	:: kills < 2 -> kills++; goto start
	:: true
	fi
}

proctype caller()
{
	byte image, decided, rounds;

	do
	:: rounds < 3 ->
		rounds++;
		image = attached;
		decided = 0;
		/* The set attached last runs first. */
		if
		:: (image & NEW) && new_active -> decided++
		:: else
		fi;
		if
		:: (image & OLD) && old_active -> decided++
		:: else
		fi;
		assert(decided > 0)
	:: else -> break
	od
}

proctype agent()
{
start:	/* pin_open(): the highest number that is in force; pin_tidy(): the rest goes */
	if
	:: new_pinned && new_active -> goto drop_old
	:: new_pinned && !new_active -> attached = attached & OLD; new_pinned = false
	:: !new_pinned -> attached = attached & OLD /* links that nothing pins went with the agent */
	fi;
	attached = attached | NEW;
	may_be_killed();
	new_pinned = true;
	may_be_killed();
	new_active = true;
	may_be_killed();
drop_old:
#ifdef OLD_STANDS_BY
	old_active = false;
#endif
	attached = NEW;
	old_pinned = false
}

init { atomic { run agent(); run caller(); run caller() } }
