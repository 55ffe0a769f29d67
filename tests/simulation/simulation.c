/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulation [-a ALGORITHM] [-f [-f]] [-o] [-x] [-s FIRST SEED] [-n SAs] [-c] [-v]
 *
 *   -f  foreign climates: other delays than those that the likelihoods were made with
 *   -ff far climates: other delays again, for measuring alone
 *   -o  offices: people come over minutes, keys last long
 *   -x  one client is an attacker; its SAs do not count
 *   -n  stop after so many CHILD_SAs were made (default 2000)
 *   -c  check: TAP, with bounds on what came of it
 *   -v  a line for each world
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/world.h"

static const struct algorithm *const algorithms[] = {
	&algorithm_pairing,   &algorithm_one_client, &algorithm_last_talker,
	&algorithm_first_out, &algorithm_hardin,
};
#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

struct wish {
	const char *only;
	enum delays delays;
	bool office, attacker, check, verbose;
	uint64_t seed, sas;
};

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_head(void)
{
	printf("%-20s %8s | %9s %9s %9s | %8s %8s | %9s %8s %8s\n", "", "SAs with", "guessed",
	       "believed", "settled", "dead", "lost", "to bind", "copied", "unbound");
	printf("%-20s %8s | %9s %9s %9s | %8s %8s | %9s %8s %8s\n", "", "inbound", "wrong %",
	       "wrong %", "wrong %", "%", "pkts %", "mean ms", "per SA", "%");
}

static void print_result(const char *name, const struct result *r)
{
	printf("%-20s %8llu | %9.4f %9.4f %9.4f | %8.3f %8.3f | %9.1f %8.2f %8.2f\n", name,
	       (unsigned long long)r->spoken, share(r->mispaired, r->spoken),
	       share(r->believed_wrong, r->spoken), share(r->settled_wrong, r->spoken),
	       share(r->dead, r->spoken), share(r->lost, r->packets),
	       r->binds ? r->bind_ms_sum / (double)r->binds : 0,
	       r->spoken ? (double)r->copied / (double)r->spoken : 0, share(r->unbound, r->spoken));
}

static uint64_t copied_at_most(const struct result *r, int first, int last, unsigned copies)
{
	uint64_t sas = 0;

	for (int pattern = first; pattern <= last; pattern++)
		for (unsigned i = 0; i <= copies; i++)
			sas += r->copied_so_often[pattern][i];
	return sas;
}

/* The least number of copies that so large a share of the SAs does not exceed. */
static unsigned copied_quantile(const struct result *r, int first, int last, double share_of)
{
	uint64_t all = copied_at_most(r, first, last, COPIES_MOST), sas = 0;
	unsigned copies = 0;

	for (; copies < COPIES_MOST; copies++) {
		for (int pattern = first; pattern <= last; pattern++)
			sas += r->copied_so_often[pattern][copies];
		if ((double)sas >= share_of * (double)all)
			break;
	}
	return copies;
}

/* Of the SAs with traffic of these patterns. */
static void print_copied(const char *name, const struct result *r, int first, int last)
{
	uint64_t all = copied_at_most(r, first, last, COPIES_MOST);

	if (!all)
		return;
	printf("  %-18s copied of an SA: median %u, 90 %% %u, 99 %% %u; none %.1f %%, up to 3 %.1f "
	       "%%, up "
	       "to 10 %.1f %%\n",
	       name, copied_quantile(r, first, last, 0.5), copied_quantile(r, first, last, 0.9),
	       copied_quantile(r, first, last, 0.99), share(copied_at_most(r, first, last, 0), all),
	       share(copied_at_most(r, first, last, 3), all),
	       share(copied_at_most(r, first, last, 10), all));
}

static void print_details(const struct result *r)
{
	print_copied("all", r, 0, PATTERNS - 1);
	for (int i = 0; i < PATTERNS; i++)
		print_copied(pattern_name[i], r, i, i);
	for (int i = 0; i < PATTERNS; i++)
		if (r->by_pattern[i])
			printf("  %-18s %8llu %10.4f %21.3f\n", pattern_name[i],
			       (unsigned long long)r->by_pattern[i],
			       share(r->mispaired_by_pattern[i], r->by_pattern[i]),
			       share(r->dead_by_pattern[i], r->by_pattern[i]));
	printf("  bound at once %.2f %%, within 10 ms %.2f %%, 100 ms %.2f %%, 1 s %.2f %%, later "
	       "%.2f %%\n",
	       share(r->slow_binds[0], r->binds), share(r->slow_binds[1], r->binds),
	       share(r->slow_binds[2], r->binds), share(r->slow_binds[3], r->binds),
	       share(r->slow_binds[4], r->binds));
	printf("  a copied packet went to %.2f hosts\n",
	       r->copied ? (double)r->copies / (double)r->copied : 0);
	if (r->attacker_copies)
		printf("  attacker: %llu SAs bound to it; of others' packets %llu (%.4f %%) alone, "
		       "%.3f %% as copies\n",
		       (unsigned long long)r->attacker_won, (unsigned long long)r->attacker_packets,
		       share(r->attacker_packets, r->packets),
		       share(r->attacker_copies, r->packets));
}

static void print_world(uint64_t seed, const struct climate *c, const struct result *before,
			const struct result *r)
{
	printf("seed %llu: %u clients x %u, v%d, wan %.1f+%.1f ms, loss %.3f, rekey %.0f s +-%.2f, "
	       "server %.2f, eager %.2f, delete %.0f, rate %.1f, dial %.0f: %llu SAs, %llu "
	       "mispaired, "
	       "%llu believed, %llu settled, %llu dead, %llu lost\n",
	       (unsigned long long)seed, c->clients, c->tunnels, c->version1 ? 1 : 2, c->wan_ms,
	       c->jitter_ms, c->loss, c->rekey_s, c->rekey_spread, c->by_server, c->eager,
	       c->on_delete, c->rate, c->dial_ms, (unsigned long long)(r->spoken - before->spoken),
	       (unsigned long long)(r->mispaired - before->mispaired),
	       (unsigned long long)(r->believed_wrong - before->believed_wrong),
	       (unsigned long long)(r->settled_wrong - before->settled_wrong),
	       (unsigned long long)(r->dead - before->dead),
	       (unsigned long long)(r->lost - before->lost));
	for (int i = 0; i < PATTERNS; i++)
		if (r->mispaired_by_pattern[i] > before->mispaired_by_pattern[i])
			printf("   %s: %llu of %llu mispaired\n", pattern_name[i],
			       (unsigned long long)(r->mispaired_by_pattern[i] -
						    before->mispaired_by_pattern[i]),
			       (unsigned long long)(r->by_pattern[i] - before->by_pattern[i]));
}

static struct result run(const struct algorithm *algorithm, const struct wish *wish)
{
	struct result result = {0};
	static struct result before;

	for (uint64_t seed = wish->seed; result.sas < wish->sas; seed++) {
		struct climate climate = climate_draw(seed, wish->delays, wish->office);

		climate.attacker = wish->attacker;
		before = result;
		world_run(&climate, seed, algorithm, &result);
		if (wish->verbose)
			print_world(seed, &climate, &before, &result);
	}
	return result;
}

static struct wish wish_of(int argc, char **argv)
{
	struct wish wish = {.seed = 1, .sas = 2000};
	int option;

	while ((option = getopt(argc, argv, "a:foxs:n:cv")) != -1) {
		switch (option) {
		case 'a':
			wish.only = optarg;
			break;
		case 'f':
			wish.delays += wish.delays < DELAYS_FAR;
			break;
		case 'o':
			wish.office = true;
			break;
		case 'x':
			wish.attacker = true;
			break;
		case 's':
			wish.seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			wish.sas = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			wish.check = true;
			break;
		case 'v':
			wish.verbose = true;
			break;
		default:
			exit(2);
		}
	}
	return wish;
}

/* --- the check: bounds that chance does not break -------------------------------------------- */

#define SETTLED_WRONG  0.5 /* per cent */
#define BELIEVED_WRONG 1.0
#define ATTACKER_WON   2.0
#define BETTER_TIMES   20

static int tap(bool good, const char *what, const struct result *r)
{
	static int number;

	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
	if (!good)
		print_result("#", r);
	return good ? 0 : 1;
}

static int check(const struct wish *wish)
{
	struct result ours = run(&algorithm_pairing, wish);
	int failed = tap(share(ours.settled_wrong, ours.spoken) <= SETTLED_WRONG,
			 "settled pairs are of the right host", &ours) +
		     tap(share(ours.believed_wrong, ours.spoken) <= BELIEVED_WRONG,
			 "bound pairs are of the right host", &ours);

	struct wish raced = *wish;

	raced.attacker = true;
	struct result with_attacker = run(&algorithm_pairing, &raced);
	failed += tap(share(with_attacker.attacker_won, with_attacker.spoken) <= ATTACKER_WON,
		      "an attacker inside is bound to hardly any", &with_attacker);
	for (size_t i = 1; i < ALGORITHMS; i++) {
		struct result other = run(algorithms[i], wish);
		char what[80];

		snprintf(what, sizeof(what), "%d times fewer wrong pairs than with %s",
			 BETTER_TIMES, algorithms[i]->name);
		failed += tap(ours.believed_wrong * BETTER_TIMES <= other.mispaired, what, &other);
	}
	printf("1..%zu\n", ALGORITHMS + 2);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct wish wish = wish_of(argc, argv);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (wish.check)
		return check(&wish);
	print_head();
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (wish.only && strcmp(wish.only, algorithms[i]->name))
			continue;
		struct result result = run(algorithms[i], &wish);
		print_result(algorithms[i]->name, &result);
		print_details(&result);
	}
	return 0;
}
