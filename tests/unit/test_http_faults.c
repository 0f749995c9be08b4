/* Scripts of bad servers, from outside: each is played by a TCP peer, and
 * each exchange with it must end as the script's "expect" says.
 *
 * All scripts are played at once, against one set of models, once with a
 * stream asked for and once without.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/asking.h"
#include "support/peer.h"
#include "support/suites.h"

static const char key[] = "sk-fault-0123456789-abcdef";

struct script {
    json_t *fault; /* borrowed: the whole case */
    struct peer *peer;
    struct asking asking;
    pthread_t thread;
    char name[24];
};

/* ------------------------------------------------- the player */

static char *unzip(const char *packed, size_t len, size_t *out_len)
{
    char path[] = "/tmp/errand-gz-XXXXXX", command[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, packed, len) == (ssize_t)len);
    close(fd);
    snprintf(command, sizeof command, "gzip -dc < %s", path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t room = 16 << 20;
    char *out = malloc(room);
    assert_non_null(out);
    *out_len = fread(out, 1, room, f);
    assert_int_equal(pclose(f), 0);
    unlink(path);
    return out;
}

static bool send_bytes(int fd, const json_t *step)
{
    const char *plain = er_json_str(step, "send_b64");
    const char *packed = er_json_str(step, "send_gz_b64");
    size_t len;
    char *bytes = suite_base64(plain ? plain : packed, &len);
    if (packed) {
        char *whole = unzip(bytes, len, &len);
        free(bytes);
        bytes = whole;
    }
    json_int_t times = er_json_int(step, "times", 1);
    bool ok = true;
    while (ok && times-- > 0)
        ok = peer_send(fd, bytes, len);
    free(bytes);
    return ok;
}

static bool more_connections(const json_t *steps, size_t from)
{
    for (; from < json_array_size(steps); from++) {
        if (json_object_get(json_array_get(steps, from), "next_connection"))
            return true;
    }
    return false;
}

/* Take a connection; afterwards nobody listens unless the script goes on to
 * another one. */
static int take_connection(
    struct peer *p, const json_t *steps, size_t from)
{
    if (p->listen_fd < 0 || !peer_readable(p, p->listen_fd))
        return -1;
    int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    atomic_fetch_add(&p->connections, 1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (!more_connections(steps, from)) {
        close(p->listen_fd);
        p->listen_fd = -1;
    }
    return fd;
}

static bool play_step(struct peer *p, int *fd, const json_t *step)
{
    const char *what = json_object_iter_key(
        json_object_iter((json_t *)step));
    if (strcmp(what, "wait_request") == 0 ||
        strcmp(what, "next_request_same_connection") == 0)
        return peer_request(p, *fd, NULL, 0);
    if (json_object_get(step, "send_b64") ||
        json_object_get(step, "send_gz_b64"))
        return send_bytes(*fd, step);
    if (strcmp(what, "delay_ms") == 0)
        return peer_idle(p, *fd, (int)er_json_int(step, "delay_ms", 0));
    if (strcmp(what, "shutdown_write") == 0)
        return shutdown(*fd, SHUT_WR) == 0;
    if (strcmp(what, "reset") == 0)
        peer_reset(*fd);
    else if (strcmp(what, "close") != 0)
        abort(); /* a step that this player does not know */
    close(*fd);
    *fd = -1;
    return true;
}

static void *play(void *ctx)
{
    struct script *s = ctx;
    struct peer *p = s->peer;
    const json_t *steps = json_object_get(s->fault, "steps");
    bool on = true;
    int fd = -1;
    for (size_t i = 0; on && i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        if (json_object_get(step, "no_listen"))
            break;
        bool next = json_object_get(step, "next_connection") != NULL;
        if (fd >= 0 && next) {
            close(fd);
            fd = -1;
        }
        if (fd < 0)
            fd = take_connection(p, steps, i + 1);
        on = fd >= 0 && (next || play_step(p, &fd, step));
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* ------------------------------------------------- what should happen */

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static bool same_json(const char *a, size_t len, const char *b)
{
    json_t *x = er_json_parse(a, len, ER_JSON_LENIENT, NULL);
    json_t *y = er_json_parse(b, strlen(b), ER_JSON_LENIENT, NULL);
    bool same = x && y && json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

/* "one call, arguments {...}" and "one call f{}": calls holds
 * "name(arguments)id;". */
static bool one_call(const struct asking *a, const char *expect)
{
    const char *calls = er_buf_str(&a->calls);
    const char *from = strchr(calls, '('), *to = strrchr(calls, ')');
    const char *want = strchr(expect, '{');
    if (a->call_count != 1 || !from || !to || !want)
        return false;
    char text[200];
    int len = 0, depth = 0;
    do {
        depth += want[len] == '{';
        depth -= want[len] == '}';
        len++;
    } while (depth > 0 && want[len]);
    snprintf(text, sizeof text, "%.*s", len, want);
    return same_json(from + 1, (size_t)(to - from - 1), text);
}

/* The text that a case wants: "text=pong, usage kept" and the like. */
static bool right_text(const struct asking *a, const char *expect)
{
    const char *want = strstr(expect, "text=") + 5;
    size_t len = strcspn(want, " ,(");
    return a->error.code == 0 && a->text.len == len &&
           memcmp(er_buf_str(&a->text), want, len) == 0;
}

static bool was_timeout(const struct asking *a)
{
    return a->error.code == ERRAND_TIMEOUT ||
           (a->error.code && a->retry_error.code == ERRAND_TIMEOUT);
}

static const char *judge_error(const struct asking *a, const char *e)
{
    bool pong_allowed = has(e, "text=pong") || has(e, "retried");
    if (a->error.code == 0)
        return pong_allowed && strcmp(er_buf_str(&a->text), "pong") == 0
                   ? NULL
                   : "an error was expected";
    if (has(e, "retriable") && a->retries == 0)
        return "it was not tried again";
    if (has(e, "quickly") && a->error.code == ERRAND_TIMEOUT)
        return "it was a time limit that ended it";
    return NULL;
}

static const char *judge_retry(const struct asking *a, const char *e)
{
    if (a->retries != 1 || strcmp(er_buf_str(&a->text), "pong") != 0)
        return "one more attempt and pong were expected";
    if (has(e, "own back-off") && (a->delay_ms < 375 || a->delay_ms > 500))
        return "the wait was not its own";
    if (has(e, ">=300 ms") && (a->delay_ms < 300 || a->took_ms < 300))
        return "the wait was too short";
    return NULL;
}

/* What is wrong with the outcome, NULL if it is as it should be. */
static const char *judge(const struct asking *a, const char *e)
{
    if (strncmp(e, "no retry", 8) == 0) {
        bool shown = !has(e, "shown") || has(a->error.msg, "E1");
        return a->error.code && a->retries == 0 && shown
                   ? NULL : "a plain error was expected";
    }
    if (strncmp(e, "own back-off", 12) == 0 || has(e, "then retries") ||
        strncmp(e, "retries", 7) == 0)
        return judge_retry(a, e);
    if (strncmp(e, "timeout", 7) == 0)
        return was_timeout(a) ? NULL : "a timeout was expected";
    if (strncmp(e, "error", 5) == 0 || strncmp(e, "must not", 8) == 0)
        return judge_error(a, e);
    if (strncmp(e, "one call", 8) == 0)
        return one_call(a, e) ? NULL : "one such call was expected";
    if (has(e, "3e6 chars"))
        return a->text.len == 3000000 || a->error.code == ERRAND_TOO_LARGE
                   ? NULL : "the text, or that it is too large";
    if (strncmp(e, "text=", 5) == 0 && has(e, "or error") && a->error.code)
        return NULL;
    if (strncmp(e, "text=", 5) == 0)
        return !right_text(a, e) ? "this text was expected"
               : has(e, "usage kept") && a->usages != 1
                   ? "usage was expected" : NULL;
    if (strncmp(e, "handled", 7) == 0 || strncmp(e, "defined", 7) == 0)
        return NULL; /* it ended, which was looked at before */
    return "this test does not know such an expectation";
}

/* ------------------------------------------------- all at once */

static json_t *make_config(struct script *scripts, size_t count)
{
    json_t *config = json_object();
    for (size_t i = 0; i < count; i++) {
        struct script *s = &scripts[i];
        char url[64];
        snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", s->peer->port);
        snprintf(s->name, sizeof s->name, "f%zu", i);
        const char *expect = er_json_str(s->fault, "expect");
        bool quick = strncmp(expect, "timeout", 7) == 0;
        json_object_set_new(config, s->name,
            json_pack("{s:s,s:s,s:i,s:{s:i,s:i,s:i,s:i}}", "base_url", url,
                "api_key_env", "FAULT_KEY", "retries", 1, "timeouts",
                "connect_ms", 30000, "first_byte_ms", quick ? 700 : 30000,
                "idle_ms", quick ? 600 : 30000, "total_ms",
                quick ? 4000 : 60000));
    }
    return config;
}

static void start_script(struct script *s, json_t *fault)
{
    s->fault = fault;
    s->peer = calloc(1, sizeof *s->peer);
    pthread_mutex_init(&s->peer->lock, NULL);
    const json_t *first =
        json_array_get(json_object_get(fault, "steps"), 0);
    bool nobody = json_object_get(first, "no_listen") != NULL;
    s->peer->listen_fd = nobody ? peer_bind(&s->peer->port)
                                : peer_listen(&s->peer->port);
    assert_int_equal(pthread_create(&s->thread, NULL, play, s), 0);
}

static void end_script(struct script *s)
{
    atomic_store(&s->peer->stop, true);
    pthread_join(s->thread, NULL);
    if (s->peer->listen_fd >= 0)
        close(s->peer->listen_fd);
    pthread_mutex_destroy(&s->peer->lock);
    free(s->peer);
}

static int report(struct script *s, bool stream)
{
    struct asking *a = &s->asking;
    const char *expect = er_json_str(s->fault, "expect"), *wrong;
    if (a->ends != 1)
        wrong = "it did not end";
    else if (has(a->error.msg, key) || has(a->retry_error.msg, key))
        wrong = "the key was shown";
    else
        wrong = judge(a, expect);
    if (!wrong)
        return 0;
    print_message("%s (%s): %s; expect %s; got %d %s, retries %d, '%.60s' "
                  "%s\n",
        er_json_str(s->fault, "id"), stream ? "stream" : "whole", wrong,
        expect, a->error.code, a->error.msg, a->retries,
        er_buf_str(&a->text), er_buf_str(&a->calls));
    return 1;
}

static int play_all(const json_t *cases, bool stream)
{
    size_t all = json_array_size(cases), count = 0;
    struct script *scripts = calloc(all, sizeof *scripts);
    for (size_t i = 0; i < all; i++) {
        json_t *fault = json_array_get(cases, i);
        if (strcmp(er_json_str(fault, "side"), "client") == 0)
            start_script(&scripts[count++], fault);
    }
    struct errand_error err = {0};
    struct er_loop *loop = er_loop_new(&err);
    json_t *config = make_config(scripts, count);
    er_models *models =
        er_models_new(loop, config, NULL, NULL, NULL, &err);
    if (!models)
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < count; i++) {
        struct asking *a = &scripts[i].asking;
        char model[40];
        snprintf(model, sizeof model, "%s:m", scripts[i].name);
        *a = (struct asking){
            .loop = loop, .models = models, .stream = stream};
        assert_int_equal(
            asking_begin(a, model,
                "[{\"role\":\"user\",\"content\":\"ping\"}]", NULL),
            0);
    }
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        asking_end(&scripts[i].asking, ASKING_MOST_MS);
        wrong += report(&scripts[i], stream);
    }
    er_models_free(models);
    for (size_t i = 0; i < count; i++) {
        end_script(&scripts[i]);
        asking_reset(&scripts[i].asking);
    }
    er_loop_free(loop);
    json_decref(config);
    free(scripts);
    print_message("%zu scripts, %d wrong\n", count, wrong);
    assert_true(count > 0);
    return wrong;
}

static void play_suite(bool stream)
{
    json_t *doc = suite_load("http-faults/faults.json");
    if (!doc)
        skip();
    setenv("FAULT_KEY", key, 1);
    int wrong = play_all(json_object_get(doc, "cases"), stream);
    json_decref(doc);
    assert_int_equal(wrong, 0);
}

static void test_faults_with_a_stream(void **state)
{
    (void)state;
    play_suite(true);
}

static void test_faults_without_a_stream(void **state)
{
    (void)state;
    play_suite(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_with_a_stream),
        cmocka_unit_test(test_faults_without_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
