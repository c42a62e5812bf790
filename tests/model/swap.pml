/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The swap, the refresh of labels and the reclaim of images (agent/kernel/swap.c, lsm/hook/label.h), with trials, a clock, and an agent that is
 * killed between any two of its steps and started again. Checked by tests/model/run.
 *
 * A decision runs under RCU: it reads the word `active` once, looks at the clock while that says that there is a trial, and then looks up
 * the slot of that generation several times: for the label, for the name. Property: each look finds the generation that the decision
 * began with, never another and never a freed slot, so that no decision is undecided for lack of an image either.
 *
 * Mutations, each of which must fail: NO_GRACE_BEFORE_REUSE (an old image goes at once), REREAD (a decision reads the word again),
 * NO_GRACE_AT_START (the agent after a killed one fills a slot at once), NO_GRACE_BEFORE_TRIAL (words beside `active` change late).
 */
#define READERS 1 /* readers meet only in grace(), which waits for each alone: one says it all, and two take minutes */
#define TRIAL 128
#define LAST_MAX 7

byte in_force = 1, last = 1, fallback, slot[2], before, next;
bool over;                /* the deadline has passed */
bool reading[READERS];
byte section[READERS];    /* which of its read sides a reader is in */
byte seen[READERS];
byte kills;

/* Until every read side that has begun is over. */
inline grace()
{
	d_step {
		i = 0;
		do
		:: i < READERS -> seen[i] = section[i]; i++
		:: else -> break
		od;
	}
	i = 0;
	do
	:: i < READERS -> (!reading[i] || section[i] != seen[i]); i++
	:: else -> break
	od
}

/* The next generation that lies in the idle slot, never one that was used before. */
inline fill()
{
	next = last + 1;
	if
	:: ((next ^ in_force) & 1) == 0 -> next++
	:: else
	fi;
	slot[next & 1] = next;
}

proctype reader(byte me)
{
	byte word, generation, label;
	byte rounds;

	do
	:: rounds < 3 ->
		rounds++;
		d_step { reading[me] = true; section[me]++ }
		word = in_force;
		generation = word & (TRIAL - 1);
		if
		:: (word & TRIAL) && over -> generation = fallback
		:: else
		fi;
		if
		:: label != generation -> assert(slot[generation & 1] == generation); label = generation
		:: else
		fi;
#ifdef REREAD
		generation = in_force & (TRIAL - 1);
#endif
		assert(label == generation);
		assert(slot[generation & 1] == generation);
		reading[me] = false
	:: else -> break
	od
}

/* The clock of a trial, at any time while one is on. */
proctype clock()
{
	do
	:: (in_force & TRIAL) && !over -> over = true
	:: timeout -> break
	od
}

proctype agent()
{
	byte i;

start:	/* what an agent finds: a trial that is on, or over; a slot that an earlier one left */
#ifndef NO_GRACE_AT_START
	grace();
#endif
	do
	:: (in_force & TRIAL) -> goto settle
	:: !(in_force & TRIAL) && last + 2 <= LAST_MAX -> goto plain
	:: !(in_force & TRIAL) && last + 2 <= LAST_MAX -> goto trial
	:: !(in_force & TRIAL) && last + 2 > LAST_MAX -> break
	od;
	goto done;

plain:	before = in_force;
	fill();
	if
	:: kills < 2 -> kills++; goto start
	:: true
	fi;
	grace();
	last = next;
	in_force = next;
	if
	:: kills < 2 -> kills++; goto start
	:: true
	fi;
#ifndef NO_GRACE_BEFORE_REUSE
	grace();
#endif
	slot[before & 1] = 0;
	goto start;

trial:	fallback = in_force;
	over = false;
	fill();
	if
	:: kills < 2 -> kills++; goto start
	:: true
	fi;
#ifdef NO_GRACE_BEFORE_TRIAL
	fallback = 0;
	last = next;
	in_force = next | TRIAL;
	fallback = before;
#else
	grace();
	last = next;
	in_force = next | TRIAL;
#endif
	if
	:: kills < 2 -> kills++; goto start
	:: true
	fi;

settle:	if
	:: !over -> in_force = in_force & (TRIAL - 1) /* confirmed; the clock may run out in this moment */
	:: over -> in_force = fallback
	:: in_force = fallback
	fi;
	if
	:: kills < 2 -> kills++; goto start
	:: true
	fi;
#ifndef NO_GRACE_BEFORE_REUSE
	grace();
#endif
	slot[(in_force + 1) & 1] = 0;
	goto start;
done:	skip
}

init {
	slot[1] = 1;
	atomic { run agent(); run clock(); run reader(0) }
}
