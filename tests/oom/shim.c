/* The allocator that fails on demand, and the loop that demands it.
 *
 * In a plain build this file defines malloc and its kin for the whole
 * process, so that the libraries' allocations fail in their turn too, and
 * counts what is not given back. With AddressSanitizer (OOM_WRAP) malloc
 * belongs to it: then the linker's --wrap leads our own calls here, jansson
 * is told to come here, and LeakSanitizer looks for what was lost.
 */
#include "oom/oom.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_long calls; /* since armed */
static atomic_long live;  /* given out and not given back */
static long fail_at;      /* 0: nothing fails */
static int fail_ever;
static atomic_int armed;

static int must_fail(void)
{
    if (!atomic_load(&armed))
        return 0;
    long n = atomic_fetch_add(&calls, 1) + 1;
    int now = fail_at && (n == fail_at || (fail_ever && n > fail_at));
    if (now)
        errno = ENOMEM;
    return now;
}

static void *given(void *p)
{
    if (p)
        atomic_fetch_add(&live, 1);
    return p;
}

static void taken(const void *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
}

#pragma GCC visibility push(default) /* the libraries must find it */

#ifdef OOM_WRAP

#define NAME(f) __wrap_##f
#define REAL(f) __real_##f
void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t size);
void REAL(free)(void *p);
char *REAL(strdup)(const char *s);
char *REAL(strndup)(const char *s, size_t n);
char *NAME(strdup)(const char *s);
char *NAME(strndup)(const char *s, size_t n);
void __lsan_do_leak_check(void);
int __lsan_do_recoverable_leak_check(void);

char *NAME(strdup)(const char *s)
{
    return must_fail() ? NULL : REAL(strdup)(s);
}

char *NAME(strndup)(const char *s, size_t n)
{
    return must_fail() ? NULL : REAL(strndup)(s, n);
}

#else

#define NAME(f) f
#define REAL(f) __libc_##f
void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t size);
void REAL(free)(void *p);
void *REAL(memalign)(size_t align, size_t size);
void *memalign(size_t align, size_t size);

void *memalign(size_t align, size_t size)
{
    return must_fail() ? NULL : given(REAL(memalign)(align, size));
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *p = memalign(align, size);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

#endif

void *NAME(malloc)(size_t size);
void *NAME(calloc)(size_t n, size_t size);
void *NAME(realloc)(void *p, size_t size);
void NAME(free)(void *p);

void *NAME(malloc)(size_t size)
{
    return must_fail() ? NULL : given(REAL(malloc)(size));
}

void *NAME(calloc)(size_t n, size_t size)
{
    return must_fail() ? NULL : given(REAL(calloc)(n, size));
}

void *NAME(realloc)(void *p, size_t size)
{
    if (must_fail())
        return NULL;
    void *q = REAL(realloc)(p, size);
    if (!p)
        given(q);
    else if (!q && size == 0)
        taken(p);
    return q;
}

void NAME(free)(void *p)
{
    taken(p);
    REAL(free)(p);
}

#pragma GCC visibility pop

/* ------------------------------------------------------------ one round */

static int count_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static int is_listed(const struct oom_case *c, int code)
{
    static const int nomem[] = {ERRAND_NOMEM, 0};
    const int *codes = c->codes ? c->codes : nomem;
    while (*codes && *codes != code)
        codes++;
    return *codes != 0;
}

/* What the first run leaves behind is caches of the libraries (a thread's
 * own memory, for one): whether it is a leak the second run tells. */
static int has_leak(long before, int is_first)
{
#ifdef OOM_WRAP
    (void)before;
    (void)is_first;
    return __lsan_do_recoverable_leak_check();
#else
    long lost = atomic_load(&live) - before;
    if (lost != 0 && !is_first)
        fprintf(stderr, "# %ld allocations not given back\n", lost);
    return lost != 0;
#endif
}

/* Run once with the given failure; 0 if it ended well. *made gets how many
 * allocations there were. */
static int run_once(const struct oom_case *c, long at, int ever, long *made)
{
    static const struct oom_case *seen; /* in this process */
    int is_first = seen != c;
    seen = c;
    struct errand_error err = {0};
    int fds = count_descriptors();
    long before = atomic_load(&live);
    fail_at = at;
    fail_ever = ever;
    atomic_store(&calls, 0);
    atomic_store(&armed, 1);
    int code = c->run(&err);
    atomic_store(&armed, 0);
    *made = atomic_load(&calls);
    int bad = 0;
    if (at == 0 && code != ERRAND_OK) {
        fprintf(stderr, "# fails by itself: %s\n", err.msg);
        bad = 1;
    } else if (code != ERRAND_OK && !is_listed(c, code)) {
        fprintf(stderr, "# code %s: %s\n", errand_code_name(code), err.msg);
        bad = 1;
    } else if (code != ERRAND_OK && (err.code != code || !err.msg[0])) {
        fprintf(stderr, "# code %d, but the error says %d \"%s\"\n", code,
            err.code, err.msg);
        bad = 1;
    }
    if (count_descriptors() != fds) {
        fprintf(stderr, "# a descriptor was left open\n");
        bad = 1;
    }
    return has_leak(before, is_first) || bad;
}

/* The same in a child, so that a crash is one result among others. */
static int run_child(const struct oom_case *c, long at, int ever)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        long made;
        alarm(60);
        int bad = run_once(c, at, ever, &made);
        fflush(NULL);
        _exit(bad);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    if (status == 0)
        return 0;
    fprintf(stderr, "# %s: allocation %ld fails (%s): %s %d\n", c->name, at,
        ever ? "ever" : "once",
        WIFSIGNALED(status) ? "killed by signal" : "ended with status",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return 1;
}

static long number_from(const char *name, long fallback)
{
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 10) : fallback;
}

static void run_case(const struct oom_case *c, size_t number)
{
    long made = 0, again = 0, tried = 0, bad = 0;
    long most = number_from("OOM_MOST", 2000);
    int ready = run_once(c, 0, 0, &made) == 0; /* caches fill up here */
#ifndef OOM_WRAP
    ready = ready || run_once(c, 0, 0, &made) == 0;
#endif
    if (!ready || run_once(c, 0, 0, &again) != 0 || again == 0) {
        printf("not ok %zu - %s: does not end well by itself\n", number,
            c->name);
        return;
    }
    long last = again + again / 8; /* a failure may lead to further ones */
    double step = last > most ? (double)last / (double)most : 1;
    for (double at = 1; at <= (double)last && bad < 5; at += step) {
        for (int ever = 0; ever < 2; ever++, tried++)
            bad += run_child(c, (long)at, ever) != 0;
    }
    printf("%sok %zu - %s: %ld allocations, %ld failures tried%s\n",
        bad ? "not " : "", number, c->name, again, tried,
        step > 1 ? ", spread evenly" : "");
    fflush(stdout);
}

int oom_main(const struct oom_case *cases, size_t n)
{
    const char *only = getenv("OOM_CASE");
#ifdef OOM_WRAP
    json_set_alloc_funcs(NAME(malloc), NAME(free));
#endif
    if (only) {
        const char *mode = getenv("OOM_MODE");
        for (size_t i = 0; i < n; i++) {
            long made;
            if (strcmp(cases[i].name, only) == 0) {
                run_once(&cases[i], 0, 0, &made);
                return run_once(&cases[i], number_from("OOM_AT", 1),
                    mode && strcmp(mode, "ever") == 0, &made);
            }
        }
        fprintf(stderr, "no case %s\n", only);
        return 2;
    }
    printf("1..%zu\n", n);
    for (size_t i = 0; i < n; i++)
        run_case(&cases[i], i + 1);
    return 0;
}
