/* Kills victims and audits what they leave.
 *
 * drive points VICTIM POINTS
 *     every crash point x its first visits x effect classes x 1 and 3
 *     parallel calls: kill there, look, start again, settle, look again
 * drive soak VICTIM RUNS SEED
 *     kill -9 at random instants until each run is done
 *
 * Prints TAP. The model is the test endpoint, which outlives the victims. */
#include "audit.h"
#include "endpoint/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { ROUNDS = 3, VISITS = 4, TRIES_MAX = 60 };

struct bench {
    const char *victim;
    char dir[64], db[96], ledger[96], acks[96], model[64];
    struct audit_want want;
    const char *effect;
    struct endpoint endpoint;
    int tests, failures;
};

static void begin_case(
    struct bench *b, const char *effect, int parallel, int runs)
{
    snprintf(b->dir, sizeof b->dir, "/tmp/errand-crash-XXXXXX");
    if (!mkdtemp(b->dir))
        exit(2);
    snprintf(b->db, sizeof b->db, "%s/e.db", b->dir);
    snprintf(b->ledger, sizeof b->ledger, "%s/ledger", b->dir);
    snprintf(b->acks, sizeof b->acks, "%s/acks", b->dir);
    snprintf(b->model, sizeof b->model, "openai:rounds-%d-par-%d", ROUNDS,
        parallel);
    b->effect = effect;
    b->want = (struct audit_want){.db = b->db, .ledger = b->ledger,
        .acks = b->acks, .runs = runs, .rounds = ROUNDS,
        .parallel = parallel, .unsafe = strcmp(effect, "unsafe") == 0 ||
            strcmp(effect, "asked") == 0};
}

static void end_case(struct bench *b, int ok)
{
    static const char *const names[] = {
        "e.db", "e.db-wal", "e.db-shm", "e.db.lock", "ledger", "acks", "err"};
    char path[160];
    for (size_t i = 0; ok && i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", b->dir, names[i]);
        unlink(path);
    }
    if (ok)
        rmdir(b->dir);
    else
        printf("# left for a look: %s\n", b->dir);
}

static pid_t spawn_victim(const struct bench *b, const char *crash)
{
    char runs[16], err[96];
    snprintf(runs, sizeof runs, "%d", b->want.runs);
    snprintf(err, sizeof err, "%s/err", b->dir);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int fd = open(err, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 2);
    if (crash)
        setenv("ERRAND_CRASH", crash, 1);
    execl(b->victim, b->victim, b->db, b->ledger, b->acks, b->effect,
        b->model, runs, (char *)NULL);
    _exit(127);
}

/* Exit status, or -signal. */
static int outcome(pid_t pid)
{
    int st = 0;
    waitpid(pid, &st, 0);
    return WIFSIGNALED(st) ? -WTERMSIG(st) : WEXITSTATUS(st);
}

/* After a kill: look, then go on without kills to the end and look again.
 * How many calls were unknown is added up. */
static int recover(struct bench *b, int *unknown)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        int found = audit(&b->want, 0);
        if (found < 0)
            return -1;
        if (found > 0) {
            *unknown += found;
            if (audit_settle(&b->want) != 0)
                return -1;
        }
        int rc = outcome(spawn_victim(b, NULL));
        if (rc == 0)
            return audit(&b->want, 1);
        if (rc != 3) {
            printf("# victim ended with %d\n", rc);
            return -1;
        }
    }
    printf("# not done after %d starts\n", TRIES_MAX);
    return -1;
}

static void report(struct bench *b, int ok, const char *name)
{
    printf("%sok %d - %s\n", ok ? "" : "not ", ++b->tests, name);
    fflush(stdout);
    b->failures += !ok;
}

/* --- points */

/* 1 if the point was reached, 0 if not, -1 if a promise was broken */
static int one_point(struct bench *b, const char *point, int visit,
    const char *effect, int parallel, int *unknown)
{
    char crash[120];
    snprintf(crash, sizeof crash, "%s:%d", point, visit);
    begin_case(b, effect, parallel, 1);
    int rc = outcome(spawn_victim(b, crash));
    int ok = rc == -SIGKILL || rc == 0;
    if (!ok)
        printf("# %s: victim ended with %d\n", crash, rc);
    ok = ok && recover(b, unknown) == 0;
    end_case(b, ok);
    return !ok ? -1 : rc == -SIGKILL;
}

/* An approval is a T3; the start of the call that was approved, a T2, may be
 * in the same batch: then the call is unknown, and was not run. */
static int one_batch(const char *point, const char *effect)
{
    return strncmp(point, "T3.after", 8) == 0 &&
           strcmp(effect, "asked") == 0;
}

static void one_name(struct bench *b, const char *point)
{
    static const char *const effects[] = {
        "pure", "read", "idempotent", "keyed", "unsafe", "asked"};
    int killed = 0, ok = 1, unknown = 0, between = 0;
    char name[160];
    for (int e = 0; e < 6; e++)
        for (int parallel = 1; parallel <= 3; parallel += 2)
            for (int visit = 1; visit <= VISITS; visit++) {
                int n = 0;
                int rc = one_point(
                    b, point, visit, effects[e], parallel, &n);
                ok = ok && rc >= 0;
                killed += rc == 1;
                unknown += one_batch(point, effects[e]) ? 0 : n;
            }
    /* unknown only where the kill fell between T2 and T3; one batch may hold
     * a T3 and what follows it, so the next T1 stands before its commit too */
    between = strcmp(point, "T1.before_commit") == 0 ||
              strncmp(point, "T2.after", 8) == 0 ||
              strncmp(point, "T3.before", 9) == 0;
    snprintf(name, sizeof name, "%s: %d kills, %d unknown", point, killed,
        unknown);
    report(b, ok && killed > 0 && (between || unknown == 0), name);
}

static void points(struct bench *b, const char *file)
{
    FILE *f = fopen(file, "r");
    char line[100];
    if (!f)
        exit(2);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, " \n")] = '\0';
        if (line[0] && line[0] != '#')
            one_name(b, line);
    }
    fclose(f);
}

/* --- soak */

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13; /* xorshift64 */
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static int one_soak(struct bench *b, uint64_t *seed, int *kills, int *unknown)
{
    static const char *const effects[] = {
        "unsafe", "asked", "keyed", "idempotent", "read", "pure"};
    int parallel = 1 + 2 * (int)(next_random(seed) % 2);
    begin_case(b, effects[next_random(seed) % 6], parallel,
        1 + (int)(next_random(seed) % 3));
    int ok = 1, n = (int)(next_random(seed) % 6);
    for (int i = 0; i < n && ok; i++) {
        pid_t pid = spawn_victim(b, NULL);
        long us = (long)(next_random(seed) % 30000);
        struct timespec t = {0, us * 1000};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL);
        int rc = outcome(pid);
        *kills += rc == -SIGKILL;
        ok = rc == -SIGKILL || rc == 0 || rc == 3;
        ok = ok && audit(&b->want, 0) >= 0;
    }
    ok = ok && recover(b, unknown) == 0;
    end_case(b, ok);
    return ok;
}

static void soak(struct bench *b, int runs, uint64_t seed)
{
    char name[160];
    int kills = 0, unknown = 0, good = 0;
    uint64_t s = seed ? seed : 1;
    printf("# seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < runs; i++)
        good += one_soak(b, &s, &kills, &unknown);
    snprintf(name, sizeof name,
        "%d of %d runs right after %d kills, %d unknown calls settled, seed "
        "%llu", good, runs, kills, unknown, (unsigned long long)seed);
    report(b, good == runs, name);
}

/* --- the endpoint */

static void begin_endpoint(struct bench *b)
{
    char url[80];
    if (!endpoint_start(&b->endpoint, "--count", NULL)) {
        fprintf(stderr, "the test endpoint does not start\n");
        exit(2);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", b->endpoint.port);
    setenv("OPENAI_BASE_URL", url, 1);
    setenv("OPENAI_API_KEY", "test", 1);
}

/* Every history on the way must have been one that providers accept. */
static void finish_endpoint(struct bench *b)
{
    int rc = endpoint_stop(&b->endpoint);
    report(b, rc == 0 && strstr(b->endpoint.totals, "\"rejected\":0"),
        "the endpoint refused no history");
    printf("# %s", b->endpoint.totals);
}

/* The worker of this build. */
static void set_worker(void)
{
    char path[3000];
    const char *build = getenv("ERRAND_BUILD");
    snprintf(path, sizeof path, "%s/errand-worker", build ? build : "build");
    setenv("ERRAND_WORKER", path, 1);
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    if (argc < 4)
        return 2;
    setenv("HOME", "/nonexistent", 1);
    b.victim = argv[2];
    set_worker();
    begin_endpoint(&b);
    if (strcmp(argv[1], "points") == 0)
        points(&b, argv[3]);
    else if (strcmp(argv[1], "soak") == 0 && argc == 5)
        soak(&b, atoi(argv[3]), strtoull(argv[4], NULL, 10));
    else
        return 2;
    finish_endpoint(&b);
    printf("1..%d\n", b.tests);
    return b.failures ? 1 : 0;
}
