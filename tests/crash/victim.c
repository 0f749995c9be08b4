/* The process that gets killed: runs conversations whose tool writes each of
 * its starts into a ledger outside, and goes on with them when it is started
 * again. Uses nothing but the public header.
 *
 * victim STORE LEDGER ACKS EFFECT MODEL RUNS
 *   ACKS    gets a line "RUN-ID KEY" for each run that was acknowledged, and
 *           "answer KEY TEXT" for each answer
 *   EFFECT  pure, read, idempotent, keyed, unsafe, or asked: unsafe, and each
 *           call is asked about and approved
 * Exit status: 0 all done, 3 one waits for a person, 1 anything else. */
#include <errand/errand.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct victim {
    const char *ledger, *acks;
    int paused, failed;
};

struct one {
    struct victim *v;
    char key[32];
};

static void append_line(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line) ||
        fsync(fd) != 0)
        exit(9);
    close(fd);
}

/* The tool: one line per start, flushed, then its result. */
static void run_ledger(
    void *user, errand_call *call, const char *args, size_t len)
{
    struct victim *v = user;
    char line[128];
    (void)args;
    (void)len;
    snprintf(line, sizeof line, "%s\n", errand_call_key(call));
    append_line(v->ledger, line);
    errand_call_reply(call, "written", 7);
}

static void on_event(void *user, const struct errand_event *ev)
{
    struct one *o = user;
    char line[512];
    if (ev->type == ERRAND_EV_STARTED) {
        snprintf(line, sizeof line, "%s %s\n", errand_run_id(ev->run), o->key);
        append_line(o->v->acks, line);
    } else if (ev->type == ERRAND_EV_DONE) {
        snprintf(line, sizeof line, "answer %s %.400s\n", o->key, ev->text);
        append_line(o->v->acks, line);
    } else if (ev->type == ERRAND_EV_PAUSED) {
        o->v->paused++;
        fprintf(stderr, "paused %s: %s\n", o->key, ev->text);
    } else if (ev->type == ERRAND_EV_FAILED) {
        o->v->failed++;
        fprintf(stderr, "failed %s: %s\n", o->key, ev->text);
    }
}

/* The person: says yes, at once. */
static void on_approval(void *user, const struct errand_approval *what)
{
    struct errand_error err = {0};
    (void)user;
    if (errand_approve(what->run, what->call, ERRAND_ONCE, NULL, &err))
        fprintf(stderr, "approve: %s\n", err.msg);
}

static int effect_of(const char *name)
{
    static const char *const names[] = {
        "unsafe", "pure", "read", "idempotent", "keyed"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    if (strcmp(name, "asked") == 0)
        return ERRAND_UNSAFE;
    exit(2);
}

static int fail(const struct errand_error *err)
{
    fprintf(stderr, "victim: %s: %s\n", errand_code_name(err->code), err->msg);
    return 1;
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"ledger", NULL};
    bool asked = argc == 7 && strcmp(argv[4], "asked") == 0;
    if (argc != 7)
        return 2;
    struct victim v = {.ledger = argv[2], .acks = argv[3]};
    struct errand_error err = {0};
    struct errand_options opt = {
        .size = sizeof opt, .store_path = argv[1], .config_path = ""};
    struct errand_tool_def tool = {.size = sizeof tool,
        .effect = (uint32_t)effect_of(argv[4]), .name = "ledger",
        .description = "Write one line into the ledger",
        .parameters = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
                      "\"integer\",\"description\":\"number\"}}}",
        .run = run_ledger, .user = &v};
    errand *rt = NULL;
    int runs = atoi(argv[6]);
    struct one *ones = calloc((size_t)runs, sizeof *ones);
    if (!ones || errand_open(&opt, &rt, &err) != ERRAND_OK ||
        errand_add_tool(rt, &tool, &err) != ERRAND_OK)
        return fail(&err);
    for (int i = 0; i < runs; i++) {
        ones[i].v = &v;
        snprintf(ones[i].key, sizeof ones[i].key, "key-%d", i);
        struct errand_request req = {.size = sizeof req,
            .prompt = "write to the ledger", .model = argv[5], .tools = all,
            .client_key = ones[i].key, .on_event = on_event,
            .user = &ones[i], .ask = asked ? all : NULL,
            .on_approval = asked ? on_approval : NULL};
        if (errand_start(rt, &req, NULL, &err) != ERRAND_OK)
            return fail(&err);
    }
    if (errand_drive(rt, -1, &err) != ERRAND_OK)
        return fail(&err);
    errand_close(rt);
    free(ones);
    return v.failed ? 1 : v.paused ? 3 : 0;
}
