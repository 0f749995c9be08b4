/* Conversations of the Berkeley Function Calling Leaderboard, multi-turn: the
 * model is scripted with the calls that are known to be right, the tools give
 * the recorded results. Calls, their order, their arguments and the stored
 * history must come out exactly. Needs the shared suites; says so if they
 * are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/cap.h"
#include "base/buf.h"
#include "tool/schema.h"
#include "support/run_kit.h"

static const char GIVEN_LATER[] = "The missing function is available now.";

struct bfcl {
    struct kit kit;
    json_t *tools;    /* by name */
    json_t *cases;    /* array */
    const json_t *calls; /* of the turn under way */
    size_t next;      /* of them, to be run */
    int wrong, runs, refused;
};

static FILE *open_suite(const char *name)
{
    char path[600];
    const char *root = getenv("ERRAND_SUITES");
    snprintf(path, sizeof path, "%s/bfcl/%s", root ? root : "../shared/suites",
        name);
    return fopen(path, "r");
}

static json_t *read_lines(FILE *f)
{
    json_t *all = json_array();
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, f) > 0)
        json_array_append_new(all, json_loads(line, 0, NULL));
    free(line);
    fclose(f);
    return all;
}

static const char *text(const json_t *v, const char *key)
{
    return json_string_value(json_object_get(v, key));
}

/* --- the script: one reply per call, or all calls of a turn in one */

static void put_answer(FILE *f, const char *model, json_t *answer)
{
    json_t *line =
        json_pack("{s:{s:s}, s:o}", "match", "model", model, "answer", answer);
    char *s = json_dumps(line, JSON_COMPACT);
    fprintf(f, "%s\n", s);
    free(s);
    json_decref(line);
}

static json_t *as_call(const json_t *c)
{
    return json_pack("{s:O, s:O}", "name", json_object_get(c, "name"),
        "arguments", json_object_get(c, "arguments"));
}

static void put_turn(
    FILE *f, const char *model, const json_t *calls, bool together, size_t n)
{
    size_t i;
    json_t *c, *all = json_array();
    char answer[40];
    json_array_foreach(calls, i, c)
    {
        json_array_append_new(all, as_call(c));
        if (!together || i + 1 == json_array_size(calls)) {
            put_answer(f, model, json_pack("{s:O}", "calls", all));
            json_decref(all);
            all = json_array();
        }
    }
    json_decref(all);
    snprintf(answer, sizeof answer, "turn %zu done", n);
    put_answer(f, model, json_pack("{s:s}", "content", answer));
}

static char *write_script(const json_t *cases)
{
    char *script = NULL;
    size_t len = 0, i, t;
    json_t *c, *turn;
    FILE *f = open_memstream(&script, &len);
    json_array_foreach(cases, i, c)
        json_array_foreach(json_object_get(c, "turns"), t, turn)
            put_turn(f, text(c, "id"), json_object_get(turn, "calls"),
                i % 2 == 0, t);
    fclose(f);
    return script;
}

/* One recorded call breaks the schema of its own tool ("ticket_001" for an
 * integer). errand refuses it, as it must; the history shows that. */
static bool fits(const struct bfcl *b, const json_t *call)
{
    struct errand_error err = {0};
    const json_t *f = json_object_get(
        json_object_get(b->tools, text(call, "name")), "function");
    er_schema *s = er_schema_compile(json_object_get(f, "parameters"),
        ER_DRAFT_2020_12, 0, NULL, &err);
    bool ok = s && er_schema_check(
        s, json_object_get(call, "arguments"), NULL, 0);
    er_schema_free(s);
    return ok;
}

/* --- the tools: each start must be the next call, with its arguments */

struct tool {
    struct bfcl *b;
    const char *name;
};

static void run_tool(
    void *user, errand_call *call, const char *args, size_t len)
{
    struct tool *t = user;
    struct bfcl *b = t->b;
    const json_t *want = json_array_get(b->calls, b->next++);
    json_t *got = json_loadb(args, len, 0, NULL);
    const char *result = text(want, "result");
    b->runs++;
    if (!want || strcmp(text(want, "name"), t->name) != 0 ||
        !json_equal(got, json_object_get(want, "arguments"))) {
        b->wrong++;
        print_message("%s %.*s is not call %zu\n", t->name, (int)len, args,
            b->next);
    }
    json_decref(got);
    errand_call_reply(call, result ? result : "", strlen(result ? result : ""));
}

static void add_tools(struct bfcl *b, struct tool *tools)
{
    const char *name;
    json_t *v;
    size_t i = 0;
    json_object_foreach(b->tools, name, v)
    {
        const json_t *f = json_object_get(v, "function");
        char *schema =
            json_dumps(json_object_get(f, "parameters"), JSON_COMPACT);
        struct errand_error err = {0};
        tools[i] = (struct tool){b, name};
        struct errand_tool_def def = {.size = sizeof def,
            .effect = ERRAND_READ, .name = name,
            .description = text(f, "description"), .parameters = schema,
            .run = run_tool, .user = &tools[i++]};
        if (errand_add_tool(b->kit.rt, &def, &err) != ERRAND_OK)
            fail_msg("%s: %s", name, err.msg);
        free(schema);
    }
}

/* --- one conversation */

/* The tools on offer in turn t: those withheld come when their turn does. */
static void offered(const json_t *c, size_t t, const char **out)
{
    size_t i, k, n = 0;
    json_t *name, *late, *names;
    const char *turn;
    json_array_foreach(json_object_get(c, "tools"), i, name)
    {
        bool held = false;
        json_object_foreach(json_object_get(c, "missed_function"), turn, names)
            json_array_foreach(names, k, late)
                held = held || (json_equal(late, name) &&
                    (size_t)strtoul(turn, NULL, 10) > t);
        if (!held)
            out[n++] = json_string_value(name);
    }
    out[n] = NULL;
}

static const char *prompt_of(const json_t *turn)
{
    const json_t *user = json_array_get(json_object_get(turn, "user"), 0);
    return user ? text(user, "content") : GIVEN_LATER;
}

static bool same_result(const json_t *m, const char *want)
{
    struct er_buf shown;
    er_buf_init(&shown, 1 << 20);
    er_cap_add(&shown, want, strlen(want), er_cap_bytes(32768, 0.25),
        text(m, "tool_call_id"));
    bool same = strcmp(text(m, "content"), er_buf_str(&shown)) == 0;
    er_buf_release(&shown);
    return same;
}

/* Messages from *at on are the turn: user, replies with calls, results. */
static int check_turn(struct bfcl *b, const json_t *messages, size_t *at,
    const json_t *turn, size_t n, bool together)
{
    const json_t *calls = json_object_get(turn, "calls");
    size_t all = json_array_size(calls), step = together ? all : 1;
    char answer[40];
    int wrong = strcmp(text(json_array_get(messages, (*at)++), "content"),
                    prompt_of(turn)) != 0;
    for (size_t i = 0; i < all; i += step) {
        const json_t *said = json_object_get(
            json_array_get(messages, (*at)++), "tool_calls");
        wrong += json_array_size(said) != step;
        for (size_t k = 0; k < step; k++) {
            const json_t *call = json_array_get(said, k);
            const json_t *want = json_array_get(calls, i + k);
            const json_t *m = json_array_get(messages, (*at)++);
            json_t *args = json_loads(text(call, "arguments"), 0, NULL);
            wrong += !json_equal(args, json_object_get(want, "arguments"));
            wrong += strcmp(text(call, "name"), text(want, "name")) != 0;
            wrong += strcmp(text(call, "id"), text(m, "tool_call_id")) != 0;
            if (fits(b, want))
                wrong += !same_result(m, text(want, "result"));
            else
                wrong += strncmp(text(m, "content"), "error: ", 7) != 0;
            json_decref(args);
        }
    }
    snprintf(answer, sizeof answer, "turn %zu done", n);
    wrong += strcmp(text(json_array_get(messages, (*at)++), "content"),
                 answer) != 0;
    return wrong;
}

static int check_history(
    struct bfcl *b, const json_t *c, const char *conv, bool together)
{
    json_t *shown = kit_show(&b->kit, conv), *turn;
    const json_t *messages = json_object_get(shown, "messages");
    size_t at = 0, t;
    int wrong = 0;
    json_array_foreach(json_object_get(c, "turns"), t, turn)
        wrong += check_turn(b, messages, &at, turn, t, together);
    wrong += at != json_array_size(messages);
    json_decref(shown);
    return wrong;
}

static int play(struct bfcl *b, const json_t *c, bool together)
{
    const char *names[200];
    char model[80], conv[40] = "";
    size_t t;
    json_t *turn;
    int wrong = 0;
    snprintf(model, sizeof model, "openai:%s", text(c, "id"));
    json_array_foreach(json_object_get(c, "turns"), t, turn)
    {
        struct told told;
        offered(c, t, names);
        b->calls = json_object_get(turn, "calls");
        b->next = 0;
        kit_run(&b->kit, &told, (struct errand_request){
            .prompt = prompt_of(turn), .model = model, .tools = names,
            .conversation = conv[0] ? conv : NULL});
        size_t refused = 0, i;
        json_t *call;
        json_array_foreach(b->calls, i, call)
            refused += !fits(b, call);
        b->refused += (int)refused;
        if (told.end != ERRAND_EV_DONE ||
            b->next + refused != json_array_size(b->calls)) {
            wrong++;
            print_message("%s turn %zu: %s\n", model, t,
                told.error ? told.error : "calls are missing");
        }
        snprintf(conv, sizeof conv, "%s", told.conv_id);
        told_free(&told);
    }
    return wrong + check_history(b, c, conv, together);
}

static void test_bfcl_multi_turn_comes_out_exactly(void **state)
{
    (void)state;
    static struct tool tools[300];
    struct bfcl b = {0};
    FILE *cases = open_suite("multiturn.jsonl");
    FILE *names = open_suite("multiturn_tools.json");
    if (!cases || !names) {
        print_message("skip: the shared suites are not there\n");
        skip();
    }
    b.cases = read_lines(cases);
    b.tools = json_loadf(names, 0, NULL);
    fclose(names);
    char *script = write_script(b.cases);
    kit_open(&b.kit, script);
    free(script);
    add_tools(&b, tools);
    size_t i, good = 0;
    json_t *c;
    json_array_foreach(b.cases, i, c)
    {
        int before = b.wrong;
        int wrong = play(&b, c, i % 2 == 0) + b.wrong - before;
        good += wrong == 0;
        if (wrong)
            print_message("%s: %d differences\n", text(c, "id"), wrong);
    }
    print_message("%zu of %zu conversations exact, %d calls run, %d refused "
        "that break their own schema\n", good, json_array_size(b.cases), b.runs,
        b.refused);
    assert_int_equal(good, json_array_size(b.cases));
    kit_close(&b.kit);
    json_decref(b.cases);
    json_decref(b.tools);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bfcl_multi_turn_comes_out_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
