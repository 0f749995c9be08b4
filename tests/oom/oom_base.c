/* The ground floor without memory: buffers, JSON, the loop. */
#include "oom/oom.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int case_buf(struct errand_error *err)
{
    struct er_buf b;
    size_t len;
    er_buf_init(&b, 100000);
    for (int i = 0; i < 2000; i++)
        er_buf_addf(&b, "%d, ", i);
    er_text_scrub(&b, "a\xff", 2);
    char *text = er_buf_take(&b, &len);
    er_buf_release(&b);
    if (!text)
        return er_nomem(err);
    free(text);
    return ERRAND_OK;
}

static int case_arena(struct errand_error *err)
{
    struct er_arena a;
    er_arena_init(&a);
    bool ok = true;
    for (int i = 0; i < 500 && ok; i++)
        ok = er_arena_str(&a, "a text of some length") &&
             er_arena_alloc(&a, (size_t)i * 7);
    er_arena_release(&a);
    return ok ? ERRAND_OK : er_nomem(err);
}

static int case_json(struct errand_error *err)
{
    static const char text[] =
        "{\"a\":[1,2.5,\"x\\u00e9\",null,true],\"b\":{\"c\":{}},\"long\":"
        "\"0123456789012345678901234567890123456789\"}";
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
    if (!v)
        return err->code;
    char *plain = er_json_text(v), *sorted = er_json_sorted(v);
    int rc = plain && sorted ? ERRAND_OK : er_nomem(err);
    free(plain);
    free(sorted);
    json_decref(v);
    return rc;
}

static int case_json_lenient(struct errand_error *err)
{
    static const char text[] =
        "\xEF\xBB\xBF[123456789012345678901234567890,\"\\ud800\",\"\xff\"]";
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_LENIENT, err);
    if (!v)
        return err->code;
    json_decref(v);
    return ERRAND_OK;
}

struct turn {
    struct er_loop *loop;
    int left;
};

static void on_turn(void *ctx)
{
    struct turn *t = ctx;
    if (--t->left == 0)
        er_loop_stop(t->loop);
}

static int case_loop(struct errand_error *err)
{
    struct turn t = {.left = 2};
    struct er_timer timer = {0};
    struct er_post post = {.run = on_turn, .ctx = &t};
    t.loop = er_loop_new(err);
    if (!t.loop)
        return err->code;
    int rc = er_timer_start(t.loop, &timer, 1, on_turn, &t, err);
    if (rc == ERRAND_OK) {
        er_loop_post(t.loop, &post);
        er_loop_run(t.loop, 1000);
        if (t.left != 0)
            rc = er_fail(err, ERRAND_BUG, "%d turns are left", t.left);
    }
    er_timer_stop(&timer);
    er_loop_free(t.loop);
    return rc;
}

int main(void)
{
    static const struct oom_case cases[] = {
        {"buf", case_buf, NULL},
        {"arena", case_arena, NULL},
        {"json", case_json, NULL},
        {"json_lenient", case_json_lenient, NULL},
        {"loop", case_loop, NULL},
    };
    return oom_main(cases, sizeof cases / sizeof cases[0]);
}
