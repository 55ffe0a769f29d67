/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lock-free table under contention: never two LIVE records with one key,
 * no slot lost, whatever four threads insert, kill and sweep. And how full it
 * gets before the first refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/table.h"

#define THREADS 4
#define KEYS	512

/* The daemon's objects are linked too and bring one. */
__attribute__((weak)) struct arena arena;

static struct config config;

static void table_create(__u32 sets)
{
	free(arena.sets);
	free(arena.tags);
	arena.sets = aligned_alloc(64, sets * sizeof(struct record_set));
	assert_non_null(arena.sets);
	memset(arena.sets, 0, sets * sizeof(struct record_set));
	arena.tags = calloc(sets, sizeof(struct set_tags));
	assert_non_null(arena.tags);
	arena.config = &config;
	config = (struct config){
		.hash_key = {0x8a5cd789635d2dffull, 0x121fd2155c472f96ull},
		.set_mask = sets - 1,
	};
}

static __u32 slots(void)
{
	return (config.set_mask + 1) * RECORDS_A_SET;
}

static __u32 count_state(enum record_state state)
{
	__u32 count = 0;

	for (__u32 i = 0; i < slots(); i++)
		count += record_state(record_at(i)) == state;
	return count;
}

/* As real keys are: one host's ports in a row. */
static struct record_key key_of(__u32 number)
{
	return (struct record_key){
		.remote = host_to_be32(0xcb007105),
		.local = host_to_be32(0x0a00000a),
		.remote_id = host_to_be16(443),
		.local_id = host_to_be16(number),
		.protocol = number >> 16,
		.kind = KIND_SESSION_ORIG,
		.id_type = ID_PORTS,
	};
}

static __u32 count_live(const struct record_key *key)
{
	__u32 count = 0;

	for (__u32 i = 0; i < slots(); i++)
		count += record_state(record_at(i)) == SLOT_LIVE &&
			 key_equal(&record_at(i)->key, key);
	return count;
}

/* --- threads --------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	__u32 number;
	__u32 random;
	__u32 won, refused, halved;
	/* odd while the worker is inside an operation: the sweeper's grace period waits for it */
	atomic_uint operation;
	__u32 *mine; /* record of each key that this worker has inserted, or NO_RECORD */
};

static struct worker workers[THREADS];
static pthread_barrier_t barrier;
static atomic_bool stop;
static atomic_uint owners[KEYS]; /* how many think that they hold the key's only record */
static atomic_uint duplicates;

static __u32 next_random(struct worker *w)
{
	w->random = w->random * 1664525u + 1013904223u;
	return w->random >> 8;
}

static void run_workers(void *(*body)(void *))
{
	pthread_barrier_init(&barrier, NULL, THREADS);
	atomic_store(&stop, false);
	for (__u32 i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.number = i, .random = i * 7919 + 1};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, body, &workers[i]), 0);
	}
}

static void join_workers(void)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
}

/* One insert, as session_add() does it. The record's index, or NO_RECORD. */
static __u32 insert(struct worker *w, __u32 number)
{
	struct record_key key = key_of(number);
	enum claim_result result;
	__u32 index;

	result = table_claim(&key, &index);
	w->refused += result == CLAIM_FULL;
	if (result != CLAIM_OK)
		return NO_RECORD;
	if (w->random & 0x300)
		sched_yield(); /* two cores only: give the others their chance in here */
	table_publish(record_at(index));
	return index;
}

/* --- the same keys from all threads at once --------------------------------------- */

static void *insert_same(void *argument)
{
	struct worker *w = argument;

	pthread_barrier_wait(&barrier);
	for (__u32 number = 0; number < KEYS; number++)
		w->won += insert(w, number) != NO_RECORD;
	return NULL;
}

static void same_keys_have_one_winner(void **state)
{
	__u32 won, missing = 0;

	for (int round = 0; round < 60; round++) {
		table_create(256);
		run_workers(insert_same);
		join_workers();
		won = 0;
		for (int i = 0; i < THREADS; i++)
			won += workers[i].won;
		for (__u32 number = 0; number < KEYS; number++) {
			struct record_key key = key_of(number);
			__u32 live = count_live(&key);

			assert_true(live <= 1);
			missing += !live;
		}
		assert_int_equal(won, count_state(SLOT_LIVE));
		assert_int_equal(count_state(SLOT_FREE), slots() - won);
	}
	print_message("# same keys: %u of %u had no winner\n", missing, 60 * KEYS);
	assert_int_equal(missing, 0);
}

/* What is built upon a claim, as an external id upon an inside socket, may rely on it. */
static void a_claim_stands(void **state)
{
	__u32 first, second, number = 0;
	struct record_key key;

	table_create(256);
	do {
		key = key_of(number++);
		assert_int_equal(table_claim(&key, &first), CLAIM_OK);
	} while (first % RECORDS_A_SET != RECORDS_A_SET - 1);
	/* the next slot is the set's first: among the WANTED its inserter is the stronger one */
	assert_int_equal(table_claim(&key, &second), CLAIM_EXISTS);
	assert_int_equal(record_state(record_at(first)), SLOT_CLAIMED);
	table_publish(record_at(first));
	assert_int_equal(count_live(&key), 1);
}

/* --- the same pairs from all threads at once -------------------------------------- */

static struct record_key reply_of(__u32 number)
{
	struct record_key key = key_of(number);

	key.local = host_to_be32(0xcb007101);
	key.kind = KIND_SESSION_REPLY;
	return key;
}

/* As session_add() makes both halves of a session, or none. */
static bool insert_pair(struct worker *w, __u32 number)
{
	struct record_key first = reply_of(number), second = key_of(number);
	__u32 reply, orig;

	if (table_claim(&first, &reply) != CLAIM_OK)
		return false;
	if (next_random(w) & 3)
		sched_yield();
	if (table_claim(&second, &orig) != CLAIM_OK) {
		table_retreat(record_at(reply));
		w->halved++; /* the first half was ours, and the other one is not */
		return false;
	}
	if (next_random(w) & 3)
		sched_yield();
	table_publish(record_at(reply));
	table_publish(record_at(orig));
	return true;
}

static void *insert_same_pairs(void *argument)
{
	struct worker *w = argument;

	for (__u32 number = 0; number < KEYS; number++) {
		pthread_barrier_wait(&barrier);
		w->won += insert_pair(w, number);
	}
	return NULL;
}

/* Not only never two: who wins one half must not lose the other to whom it has beaten. */
static void same_pairs_have_one_winner(void **state)
{
	for (int round = 0; round < 8; round++) {
		table_create(1024);
		run_workers(insert_same_pairs);
		join_workers();
		for (__u32 number = 0; number < KEYS; number++) {
			struct record_key orig = key_of(number), reply = reply_of(number);

			assert_int_equal(count_live(&orig), 1);
			assert_int_equal(count_live(&reply), 1);
		}
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(workers[i].halved, 0);
	}
}

/* --- different keys ------------------------------------------------------------------ */

static void *insert_different(void *argument)
{
	struct worker *w = argument;

	pthread_barrier_wait(&barrier);
	for (__u32 number = 0; number < 400; number++)
		w->won += insert(w, w->number * 400 + number) != NO_RECORD;
	return NULL;
}

static void different_keys_all_win(void **state)
{
	table_create(1024); /* filled to two fifths */
	run_workers(insert_different);
	join_workers();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(workers[i].won, 400);
	for (__u32 number = 0; number < THREADS * 400; number++) {
		struct record_key key = key_of(number);

		assert_non_null(table_find(&config, &key));
		assert_int_equal(count_live(&key), 1);
	}
}

/* --- inserting, killing and sweeping at the same time -------------------------------------- */

static void own(__u32 number)
{
	if (atomic_fetch_add(&owners[number], 1) != 0)
		atomic_fetch_add(&duplicates, 1);
}

/*
 * Kills a record of its own or inserts one. The key is given up before the
 * kill, so that whoever inserts it next finds it without owner.
 */
static void churn_step(struct worker *w)
{
	__u32 number = next_random(w) % KEYS, index = w->mine[number];

	atomic_fetch_add(&w->operation, 1);
	if (index != NO_RECORD) {
		atomic_fetch_sub(&owners[number], 1);
		table_kill(record_at(index));
		w->mine[number] = NO_RECORD;
	} else {
		index = insert(w, number);
		if (index != NO_RECORD) {
			own(number);
			w->won++;
		}
		w->mine[number] = index;
	}
	atomic_fetch_add(&w->operation, 1);
}

static void *churn(void *argument)
{
	struct worker *w = argument;
	__u32 mine[KEYS];

	memset(mine, 0xff, sizeof(mine));
	w->mine = mine;
	pthread_barrier_wait(&barrier);
	while (!atomic_load(&stop))
		churn_step(w);
	for (__u32 number = 0; number < KEYS; number++)
		if (mine[number] != NO_RECORD)
			table_kill(record_at(mine[number]));
	return NULL;
}

/* Until each worker has left the operation that it may be in. */
static void grace_period(void)
{
	for (int i = 0; i < THREADS; i++) {
		__u32 seen = atomic_load(&workers[i].operation);

		while (seen & 1 && atomic_load(&workers[i].operation) == seen &&
		       !atomic_load(&stop))
			sched_yield();
	}
}

/* As the daemon's sweeper: what was DEAD before a grace period becomes FREE. */
static __u32 sweep(void)
{
	static bool was_dead[4096];
	__u32 freed = 0;

	for (__u32 i = 0; i < slots(); i++)
		was_dead[i] = record_state(record_at(i)) == SLOT_DEAD;
	grace_period();
	for (__u32 i = 0; i < slots(); i++) {
		if (was_dead[i] && record_state(record_at(i)) == SLOT_DEAD) {
			table_free(record_at(i), i);
			freed++;
		} else if (record_state(record_at(i)) == SLOT_FREE) {
			table_clear(record_at(i), i);
		}
	}
	return freed;
}

static void churn_keeps_keys_unique(void **state)
{
	__u32 freed = 0, won = 0, refused = 0;

	table_create(256);
	memset(owners, 0, sizeof(owners));
	atomic_store(&duplicates, 0);
	run_workers(churn);
	for (int i = 0; i < 3000; i++) {
		freed += sweep();
		sched_yield();
	}
	atomic_store(&stop, true);
	join_workers();
	freed += sweep();
	for (int i = 0; i < THREADS; i++) {
		won += workers[i].won;
		refused += workers[i].refused;
	}
	print_message("# churn: %u inserted, %u swept, %u refused as full\n", won, freed, refused);
	assert_int_equal(atomic_load(&duplicates), 0);
	assert_true(won > 10000);
	assert_int_equal(count_state(SLOT_FREE), slots());
}

/* --- how full --------------------------------------------------------------------------------- */

static double load_at_first_refusal(__u32 sets, __u32 stride)
{
	struct worker w = {};
	__u32 number = 0;

	table_create(sets);
	while (!w.refused)
		w.won += insert(&w, number += stride) != NO_RECORD;
	return (double)w.won / slots();
}

/* The same policy with two sets drawn by lot: what the best hash would reach. */
static double load_of_a_perfect_hash(__u32 sets)
{
	static __u8 used[16384];
	struct worker w = {.random = sets};
	__u32 count = 0;

	memset(used, 0, sizeof(used));
	for (;; count++) {
		__u32 a = next_random(&w) % sets, b = next_random(&w) % sets;
		__u32 chosen = used[a] > used[b] ? b : a;

		if (used[chosen] == RECORDS_A_SET)
			return (double)count / (sets * RECORDS_A_SET);
		used[chosen]++;
	}
}

static void load_factor(void **state)
{
	static const __u32 sizes[] = {256, 1024, 4096, 16384};
	double perfect = 0, ports = 0, sparse = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		double at[] = {load_of_a_perfect_hash(sizes[i]), load_at_first_refusal(sizes[i], 1),
			       load_at_first_refusal(sizes[i], 8)};

		print_message("# %5u sets of 8, full at first refusal: ports in a row %.1f %%, "
			      "every eighth %.1f %%, drawn by lot %.1f %%\n",
			      sizes[i], 100 * at[1], 100 * at[2], 100 * at[0]);
		perfect += at[0];
		ports += at[1];
		sparse += at[2];
	}
	assert_true(ports > 0.75 * perfect && sparse > 0.75 * perfect);
	free(arena.sets);
	arena.sets = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_keys_have_one_winner),
		cmocka_unit_test(a_claim_stands),
		cmocka_unit_test(same_pairs_have_one_winner),
		cmocka_unit_test(different_keys_all_win),
		cmocka_unit_test(churn_keeps_keys_unique),
		cmocka_unit_test(load_factor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
