/* One run with a schema that names the passages, then a look at every
 * quotation. What fails is marked and never left out: that a model claims
 * what its source does not say is worth knowing. */
#include "cited.h"

#include "base/buf.h"
#include "outcome.h"
#include "signals.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

static void on_event(void *user, const struct errand_event *ev)
{
    er_outcome_event(user, ev);
}

static int start(struct er_cli *cli, const char *question, const char *hits,
    struct er_outcome *outcome, struct errand_error *err)
{
    char *text = NULL;
    int code = errand_cite_ask(question, hits, &text, err);
    json_t *ask = code ? NULL
                       : er_json_parse(
                             text, strlen(text), ER_JSON_LENIENT, err);
    errand_free(text);
    if (!ask)
        return err->code;
    char *schema = er_json_text(json_object_get(ask, "schema"));
    struct errand_request req = {.size = sizeof req,
        .prompt = text_of(ask, "prompt"),
        .model = cli->args.model,
        .schema = schema,
        .on_event = on_event,
        .user = outcome};
    code = schema ? errand_start(cli->rt, &req, NULL, err) : er_nomem(err);
    free(schema);
    json_decref(ask);
    return code;
}

static void show_source(struct er_cli *cli, const json_t *c, size_t number)
{
    struct er_buf line;
    const json_t *at = json_object_get(c, "line");
    er_buf_init(&line, 65536);
    er_buf_addf(&line, "[%zu] ", number);
    if (*text_of(c, "path"))
        er_buf_adds(&line, er_path_from_here(text_of(c, "path")));
    else
        er_buf_addf(&line, "passage %s", text_of(c, "id"));
    if (json_is_integer(at))
        er_buf_addf(&line, ":%lld", (long long)json_integer_value(at));
    if (*text_of(c, "heading"))
        er_buf_addf(&line, "  %s", text_of(c, "heading"));
    er_buf_addf(&line, "\n    \"%s\"\n", text_of(c, "quote"));
    if (!json_is_true(json_object_get(c, "ok")))
        er_buf_addf(&line, "    NOT CONFIRMED: %s\n", text_of(c, "problem"));
    er_term_out(&cli->term, er_buf_str(&line), line.len);
    er_buf_release(&line);
}

static int show(struct er_cli *cli, const struct er_outcome *o,
    const char *hits)
{
    struct errand_error err = {0};
    char *text = NULL;
    size_t i;
    json_t *c;
    if (errand_cite_check(er_buf_str(&o->text), hits, &text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *answer = er_cli_answer(cli, text);
    if (!answer)
        return ER_EXIT_FAILED;
    json_t *sources = json_object_get(answer, "citations");
    er_term_outf(&cli->term, "%s\n", text_of(answer, "answer"));
    if (json_array_size(sources) > 0)
        er_term_outs(&cli->term, "\n");
    else
        er_term_note(&cli->term, ER_PLAIN, "the answer cites nothing");
    json_array_foreach(sources, i, c)
        show_source(cli, c, i + 1);
    json_decref(answer);
    return ER_EXIT_DONE;
}

int er_cited_answer(struct er_cli *cli, const char *question, char *hits)
{
    struct errand_error err = {0};
    struct er_outcome outcome;
    struct er_buf why;
    if (strcmp(hits, "[]") == 0) {
        errand_free(hits);
        er_fail(&err, ERRAND_NOT_FOUND, "nothing that is indexed fits the "
            "question; `errand index PATH` adds documents");
        return er_cli_fail(cli, &err);
    }
    er_outcome_init(&outcome);
    er_buf_init(&why, 4096);
    int code = start(cli, question, hits, &outcome, &err);
    int status = code ? er_cli_fail(cli, &err) : ER_EXIT_DONE;
    if (!code) {
        er_signals_watch(ER_SIGNAL_RUN, cli->rt);
        status = er_cli_drive(cli, &outcome.ended, NULL, NULL);
        er_signals_unwatch();
    }
    if (!code && outcome.ended && outcome.type == ERRAND_EV_DONE) {
        status = show(cli, &outcome, hits);
    } else if (!code && outcome.ended) {
        er_term_error(&cli->term, "%s", er_outcome_text(&outcome, &why));
        status = er_outcome_status(&outcome);
    }
    er_buf_release(&why);
    er_outcome_release(&outcome);
    errand_free(hits);
    return status;
}
