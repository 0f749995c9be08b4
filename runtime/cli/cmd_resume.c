/* errand resume: go on with one run, or with all that were interrupted. */
#include "cli.h"
#include "granter.h"
#include "many.h"
#include "print.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 8 };

struct resume {
    struct er_cli *cli;
    const char *options; /* JSON for errand_resume, or NULL */
    json_t *runs;        /* those to go on with */
    size_t next;
    int64_t waiting;     /* paused or failed ones that were left alone */
    int64_t passed_over; /* went on without us, or somewhere else */
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

/* ---------------------------------------------------------------- one run */

/* A run that nobody named and that cannot go on is no failure: its
 * conversation went on without it, or it lives in another process. */
static bool pass_over(struct resume *r, const struct errand_error *err)
{
    if (err->code != ERRAND_STATE && err->code != ERRAND_BUSY)
        return false;
    r->passed_over++;
    if (r->cli->args.verbose)
        er_term_note(&r->cli->term, ER_DIM, "%s", err->msg);
    return true;
}

static int resume_one(struct resume *r, const char *run, bool named)
{
    struct errand_error err = {0};
    struct er_printer printer;
    int status;
    er_printer_init(&printer, r->cli);
    int code = errand_resume(r->cli->rt, run, r->options, er_printer_event,
        &printer, NULL, &err);
    if (!code)
        status = er_printer_drive(&printer);
    else if (!named && pass_over(r, &err))
        status = ER_EXIT_DONE;
    else
        status = er_printer_refused(&printer, &err);
    er_printer_release(&printer);
    return status;
}

/* ------------------------------------------------------------------ which */

/* Interrupted: nobody said stop but a crash, a kill or Ctrl-C. */
static bool wanted(const struct resume *r, const json_t *run)
{
    const char *state = text_of(run, "state");
    if (strcmp(state, "ready") == 0 || strcmp(state, "tools") == 0)
        return true;
    return r->cli->args.all ||
           strcmp(text_of(run, "reason"), "interrupted") == 0;
}

static int add_state(
    struct resume *r, const char *state, struct errand_error *err)
{
    char options[80], *text = NULL;
    snprintf(options, sizeof options,
        "{\"limit\":1000000,\"state\":\"%s\"}", state);
    int code = errand_log_list(r->cli->rt, options, &text, err);
    if (code)
        return code;
    json_t *runs = er_json_parse(text, strlen(text), ER_JSON_LENIENT, err);
    errand_free(text);
    for (size_t i = json_array_size(runs); i-- > 0;) { /* oldest first */
        json_t *run = json_array_get(runs, i);
        if (wanted(r, run))
            json_array_append(r->runs, run);
        else
            r->waiting++;
    }
    code = runs ? ERRAND_OK : err->code;
    json_decref(runs);
    return code;
}

static int find_runs(struct resume *r, struct errand_error *err)
{
    static const char *const states[] = {
        "ready", "tools", "paused", "failed"};
    r->runs = json_array();
    if (!r->runs)
        return er_nomem(err);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        int code = add_state(r, states[i], err);
        if (code)
            return code;
    }
    return ERRAND_OK;
}

/* ---------------------------------------------------------------- many */

static int start(void *ctx, struct er_job *job)
{
    struct resume *r = ctx;
    for (;;) {
        struct errand_error err = {0};
        json_t *run = json_array_get(r->runs, r->next);
        if (!run)
            return 0;
        r->next++;
        if (!errand_resume(r->cli->rt, text_of(run, "id"), r->options,
                er_many_event, job, NULL, &err)) {
            job->data = json_incref(run);
            return 1;
        }
        if (pass_over(r, &err))
            continue;
        job->data = json_incref(run);
        er_outcome_refused(&job->outcome, &err);
        return -1;
    }
}

static void show_end(struct er_cli *cli, const json_t *run,
    const struct er_outcome *o)
{
    const char *prompt = text_of(run, "prompt");
    const char *text = er_buf_str(&o->text);
    er_term_note(&cli->term, ER_BOLD, "%s  %.*s", text_of(run, "id"),
        (int)strcspn(prompt, "\r\n"), prompt);
    if (o->type != ERRAND_EV_DONE) {
        struct er_buf out;
        er_buf_init(&out, 4096);
        er_term_error(&cli->term, "%s: %s", er_outcome_state(o),
            er_outcome_text(o, &out));
        er_buf_release(&out);
        return;
    }
    er_term_out(&cli->term, text, o->text.len);
    if (o->text.len == 0 || text[o->text.len - 1] != '\n')
        er_term_outs(&cli->term, "\n");
}

static void ended(void *ctx, struct er_job *job)
{
    struct resume *r = ctx;
    json_t *run = job->data;
    if (r->cli->args.json) {
        json_t *out = er_outcome_json(&job->outcome, false);
        if (out && !job->outcome.run[0])
            json_object_set_new(
                out, "run", json_string(text_of(run, "id")));
        char *text = out ? er_json_text(out) : NULL;
        json_decref(out);
        if (text)
            er_cli_print_json(r->cli, text);
    } else {
        show_end(r->cli, run, &job->outcome);
    }
    json_decref(run);
}

static void say_waiting(const struct resume *r)
{
    if (r->waiting > 0)
        er_term_note(&r->cli->term, ER_PLAIN, "%lld %s paused or failed and "
            "left alone: errand log list shows why, errand resume --all "
            "tries %s too", (long long)r->waiting,
            r->waiting == 1 ? "run is" : "runs are",
            r->waiting == 1 ? "it" : "them");
}

static int resume_many(struct resume *r)
{
    struct er_cli *cli = r->cli;
    size_t n = json_array_size(r->runs);
    int status = ER_EXIT_DONE;
    if (n == 1) {
        status = resume_one(
            r, text_of(json_array_get(r->runs, 0), "id"), false);
    } else if (n > 1) {
        struct er_many many = {
            .cli = cli,
            .source = {.start = start, .ended = ended, .ctx = r},
            .what = "runs",
            .limit = AT_ONCE,
            .total = (int64_t)n,
        };
        status = er_many_run(&many);
    }
    if (r->passed_over == (int64_t)n)
        er_term_note(&cli->term, ER_PLAIN,
            "no run was interrupted; there is nothing to go on with");
    say_waiting(r);
    return status;
}

int er_cmd_resume(struct er_cli *cli)
{
    struct errand_error err = {0};
    struct resume r = {.cli = cli};
    struct er_arena arena;
    int status;
    if (cli->args.json && cli->args.events)
        return er_cli_usage(cli, "--json and --events both want standard "
            "output; give one");
    if (cli->n_words > 0 && cli->args.all)
        return er_cli_usage(cli, "--all is for every run; leave it out, or "
            "leave %.60s out", cli->words[0]);
    er_arena_init(&arena);
    int code = er_request_resume(&cli->args, &arena, &r.options, &err);
    status = code ? er_cli_fail(cli, &err) : er_cli_open(cli);
    if (!status)
        status = er_granter_run(cli, NULL, false);
    if (!status && cli->n_words > 0)
        status = resume_one(&r, cli->words[0], true);
    else if (!status && find_runs(&r, &err))
        status = er_cli_fail(cli, &err);
    else if (!status)
        status = resume_many(&r);
    json_decref(r.runs);
    er_arena_release(&arena);
    return status;
}
