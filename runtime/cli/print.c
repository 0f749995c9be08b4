/* Showing events. */
#include "print.h"

#include "base/text.h"
#include "signals.h"

#include <stdio.h>
#include <string.h>

static const size_t MAX_LINE = (size_t)1 << 29;

const char *er_event_name(uint32_t type)
{
    static const char *const names[] = {
        [ERRAND_EV_STARTED] = "started",
        [ERRAND_EV_TEXT] = "text",
        [ERRAND_EV_REASONING] = "reasoning",
        [ERRAND_EV_CALL] = "call",
        [ERRAND_EV_RESULT] = "result",
        [ERRAND_EV_USAGE] = "usage",
        [ERRAND_EV_RETRY] = "retry",
        [ERRAND_EV_NOTICE] = "notice",
        [ERRAND_EV_PAUSED] = "paused",
        [ERRAND_EV_DONE] = "done",
        [ERRAND_EV_FAILED] = "failed",
        [ERRAND_EV_DISCARD] = "discard",
        [ERRAND_EV_APPROVAL] = "approval",
        [ERRAND_EV_STEP] = "step",
    };
    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

static void on_approval(void *user, const struct errand_approval *what)
{
    struct er_printer *p = user;
    p->waiting = false;
    er_asker_add(&p->asker, what);
}

void er_printer_init(struct er_printer *p, struct er_cli *cli)
{
    *p = (struct er_printer){.cli = cli};
    er_outcome_init(&p->outcome);
    er_buf_init(&p->turn, MAX_LINE);
    er_asker_init(&p->asker, cli);
    if (er_asker_is_there(&p->asker))
        errand_on_approval(cli->rt, on_approval, p);
}

void er_printer_release(struct er_printer *p)
{
    if (p->cli->rt)
        errand_on_approval(p->cli->rt, NULL, NULL);
    er_asker_release(&p->asker);
    er_outcome_release(&p->outcome);
    er_buf_release(&p->turn);
}

/* --------------------------------------------------------- lines of JSON */

/* {"type":"text","run":...,"text":...}, or with the event's details. */
static void print_json_line(
    struct er_printer *p, const struct errand_event *ev)
{
    struct er_buf line;
    er_buf_init(&line, MAX_LINE);
    er_buf_addf(&line, "{\"type\":\"%s\"", er_event_name(ev->type));
    if (ev->json && ev->json[0] == '{' && ev->json[1] != '}') {
        er_buf_addc(&line, ',');
        er_buf_adds(&line, ev->json + 1);
    } else {
        if (ev->run)
            er_buf_addf(
                &line, ",\"run\":\"%s\"", errand_run_id(ev->run));
        er_buf_adds(&line, ",\"text\":");
        er_json_add_string(&line, ev->text, ev->text_len);
        er_buf_addc(&line, '}');
    }
    er_buf_addc(&line, '\n');
    er_term_out(&p->cli->term, er_buf_str(&line), line.len);
    er_buf_release(&line);
}

/* ------------------------------------------------------------ for people */

static void wait_for(
    struct er_printer *p, const char *verb, const char *what)
{
    p->waiting = true;
    p->since_ms = er_mono_ms();
    snprintf(p->doing, sizeof p->doing, "%.12s %.80s", verb, what);
    er_text_trim_utf8(p->doing);
}

static void wait_for_model(struct er_printer *p)
{
    const char *model = p->outcome.model;
    wait_for(p, "waiting for", model[0] ? model : "the model");
}

static void end_reasoning(struct er_printer *p)
{
    if (p->in_reasoning)
        er_term_aside(&p->cli->term, ER_PLAIN, "\n", 1);
    p->in_reasoning = false;
}

static void show_text(struct er_printer *p, const struct errand_event *ev)
{
    struct er_term *t = &p->cli->term;
    end_reasoning(p);
    if (p->turn_over) {
        er_term_end_line(t);
        er_buf_reset(&p->turn);
        p->turn_over = false;
    }
    p->waiting = false;
    er_buf_add(&p->turn, ev->text, ev->text_len);
    er_term_out(t, ev->text, ev->text_len);
}

static void show_reasoning(struct er_printer *p, const struct errand_event *ev)
{
    if (!p->cli->args.verbose) {
        if (!p->waiting || strcmp(p->doing, "thinking ") != 0)
            wait_for(p, "thinking", "");
        return;
    }
    if (!p->in_reasoning)
        er_term_end_line(&p->cli->term);
    p->waiting = false;
    p->in_reasoning = true;
    er_term_aside(&p->cli->term, ER_DIM, ev->text, ev->text_len);
}

/* The first line of a text, cut to what fits behind used columns. */
static void first_line(const struct er_term *t, size_t used, const char *text,
    char *out, size_t size)
{
    size_t room = t->width > (int)used + 8 ? (size_t)t->width - used - 4 : 8;
    size_t line = strcspn(text, "\r\n"), len = line;
    if (len > room)
        len = er_utf8_cut(text, line, room);
    if (len > size - 4)
        len = er_utf8_cut(text, line, size - 4);
    memcpy(out, text, len);
    memcpy(out + len, text[len] ? "..." : "", text[len] ? 4 : 1);
}

static void show_call(struct er_printer *p, const struct errand_event *ev)
{
    char line[240];
    first_line(&p->cli->term, 2, ev->text, line, sizeof line);
    er_term_note(&p->cli->term, ER_DIM, "> %s", line);
    wait_for(p, "running", line);
}

static void show_result(struct er_printer *p, const struct errand_event *ev)
{
    char line[240];
    json_t *d = ev->json ? er_json_parse(ev->json, strlen(ev->json),
                               ER_JSON_LENIENT, NULL)
                         : NULL;
    const char *state = er_json_str(d, "state");
    bool good = !state || strcmp(state, "done") == 0;
    first_line(&p->cli->term, good ? 2 : 12, ev->text, line, sizeof line);
    er_term_note(&p->cli->term, good ? ER_DIM : ER_RED, "< %s%s%s",
        good ? "" : state, good ? "" : ": ", line);
    json_decref(d);
    wait_for_model(p);
}

/* Who answers where nobody was named: said once, as a conversation begins. */
static void tell_bundled(struct er_printer *p)
{
    const struct er_args *a = &p->cli->args;
    if (p->cli->told_bundled || a->last || a->conversation ||
        strcmp(p->outcome.model, "local:errand-small") != 0)
        return;
    p->cli->told_bundled = true;
    er_term_note(&p->cli->term, ER_DIM, "errand-small answers, a model of 3 "
        "MB that errs often; for a real one: errand models pull "
        "llama-3.2-3b-instruct");
}

/* Steps of a script: a map counts its items, the line says what goes on. */
static void show_step(struct er_printer *p, const struct errand_event *ev)
{
    json_t *d = ev->json ? er_json_parse(ev->json, strlen(ev->json),
                               ER_JSON_LENIENT, NULL)
                         : NULL;
    const char *step = er_json_str(d, "step"), *kind = er_json_str(d, "kind");
    const char *state = er_json_str(d, "state");
    const char *about = er_json_str(d, "about");
    char what[96], line[240];
    if (step && kind && state && about) {
        bool map = strcmp(kind, "map") == 0;
        if (map)
            snprintf(what, sizeof what, "step %.20s: %lld of %lld items",
                step, (long long)er_json_int(d, "over", 0),
                (long long)er_json_int(d, "items", 0));
        else
            snprintf(what, sizeof what, "step %.20s: %.20s", step, kind);
        if (strcmp(state, "running") == 0 && (map || !strchr(step, '.')))
            wait_for(p, "working on", what);
        else if (p->cli->args.verbose && !map) {
            first_line(&p->cli->term, 30, about, line, sizeof line);
            er_term_note(&p->cli->term, ER_DIM, "%s %s %s (%lld ms)", step,
                kind, line, (long long)er_json_int(d, "took_ms", 0));
        }
    }
    json_decref(d);
}

static void show_started(struct er_printer *p)
{
    const struct er_outcome *o = &p->outcome;
    if (p->cli->args.verbose)
        er_term_note(&p->cli->term, ER_DIM, "run %s, conversation %s, %s",
            o->run, o->conversation, o->model[0] ? o->model : "no model");
    tell_bundled(p);
    wait_for_model(p);
}

/* What comes before the end, for people. */
static void show_event(struct er_printer *p, const struct errand_event *ev)
{
    struct er_term *t = &p->cli->term;
    if (ev->type != ERRAND_EV_REASONING)
        end_reasoning(p);
    switch (ev->type) {
    case ERRAND_EV_STARTED: show_started(p); break;
    case ERRAND_EV_TEXT:
        if (t->out_tty)
            show_text(p, ev);
        break;
    case ERRAND_EV_REASONING: show_reasoning(p, ev); break;
    case ERRAND_EV_STEP: show_step(p, ev); break;
    case ERRAND_EV_CALL: show_call(p, ev); break;
    case ERRAND_EV_RESULT: show_result(p, ev); break;
    case ERRAND_EV_USAGE:
        p->turn_over = true;
        if (p->cli->args.verbose)
            er_term_note(t, ER_DIM, "%s", ev->text);
        break;
    case ERRAND_EV_APPROVAL:
        if (!er_asker_is_there(&p->asker))
            er_term_note(t, ER_PLAIN, "? %s", ev->text);
        break;
    case ERRAND_EV_RETRY:
        er_term_note(t, ER_PLAIN, "trying again: %s", ev->text);
        break;
    case ERRAND_EV_NOTICE:
        er_term_note(t, ER_PLAIN, "%s", ev->text);
        break;
    case ERRAND_EV_DISCARD:
        if (p->turn.len > 0)
            er_term_note(t, ER_PLAIN, "(the text above is void: the model "
                "is asked again)");
        p->turn_over = true;
        break;
    default: break;
    }
}

/* The answer, unless a terminal has seen exactly it already. */
static void show_answer(struct er_printer *p, const struct errand_event *ev)
{
    struct er_term *t = &p->cli->term;
    bool shown = t->out_tty && p->turn.len == ev->text_len &&
                 memcmp(er_buf_str(&p->turn), ev->text, ev->text_len) == 0;
    if (!shown) {
        er_term_end_line(t);
        er_term_out(t, ev->text, ev->text_len);
    }
    if (t->out_tty)
        er_term_end_line(t);
    else if (ev->text_len == 0 || ev->text[ev->text_len - 1] != '\n')
        er_term_outs(t, "\n");
}

static bool is_end(const struct errand_event *ev)
{
    return ev->type == ERRAND_EV_DONE || ev->type == ERRAND_EV_PAUSED ||
           ev->type == ERRAND_EV_FAILED;
}

void er_printer_event(void *user, const struct errand_event *ev)
{
    struct er_printer *p = user;
    er_outcome_event(&p->outcome, ev);
    if (is_end(ev))
        p->waiting = false;
    if (p->cli->args.events)
        print_json_line(p, ev);
    else if (!p->cli->args.json && ev->type == ERRAND_EV_DONE)
        show_answer(p, ev);
    else if (!p->cli->args.json && !is_end(ev))
        show_event(p, ev);
    else if (ev->type == ERRAND_EV_STARTED)
        wait_for_model(p);
}

void er_printer_tick(void *ctx)
{
    struct er_printer *p = ctx;
    if (er_asker_tick(&p->asker))
        return;
    int64_t ms = p->waiting ? er_mono_ms() - p->since_ms : 0;
    if (ms >= 1000)
        er_term_progress(&p->cli->term, "%s, %lld s", p->doing,
            (long long)(ms / 1000));
}

/* ---------------------------------------------------------------- the end */

/* How to go on, as a command to copy, unless that was said. */
static void say_how_to_go_on(struct er_printer *p)
{
    const struct er_outcome *o = &p->outcome;
    const char *store = p->cli->args.store;
    if (!o->run[0] || (!store && strstr(er_buf_str(&o->text), o->run) &&
                          strstr(er_buf_str(&o->text), "errand resume")))
        return;
    er_term_note(&p->cli->term, ER_PLAIN, "go on with: errand resume %s%s%s",
        o->run, store ? " --store " : "", store ? store : "");
}

static void say_end(struct er_printer *p)
{
    const struct er_outcome *o = &p->outcome;
    struct er_term *t = &p->cli->term;
    if (o->type == ERRAND_EV_DONE) {
        if (p->cli->args.verbose)
            er_term_note(t, ER_DIM, "%lld turns, %lld calls, %lld tokens in, "
                "%lld out", (long long)o->turns, (long long)o->calls,
                (long long)o->prompt_tokens, (long long)o->completion_tokens);
        return;
    }
    struct er_buf out;
    er_buf_init(&out, 4096);
    const char *text = er_outcome_text(o, &out);
    if (!*text)
        text = errand_code_text(o->code);
    er_term_error(t, "%s%s", o->type == ERRAND_EV_PAUSED ? "paused: " : "",
        text);
    er_buf_release(&out);
    if (!p->chat)
        say_how_to_go_on(p);
}

static void print_object(struct er_printer *p)
{
    json_t *out = er_outcome_json(&p->outcome, p->cli->args.schema != NULL);
    char *text = out ? er_json_text(out) : NULL;
    json_decref(out);
    if (text)
        er_cli_print_json(p->cli, text);
}

int er_printer_drive(struct er_printer *p)
{
    struct er_cli *cli = p->cli;
    bool ticks = er_term_has_progress(&cli->term) ||
                 er_asker_is_there(&p->asker);
    bool early = er_signals_came(); /* while the run was started */
    er_signals_watch(ER_SIGNAL_RUN, cli->rt);
    if (early)
        errand_interrupt(cli->rt);
    int status = er_cli_drive(cli, &p->outcome.ended,
        ticks ? er_printer_tick : NULL, p);
    er_signals_unwatch();
    end_reasoning(p);
    er_term_clear(&cli->term);
    if (status || !p->outcome.ended)
        er_cli_close(cli); /* the last event comes now */
    if (status)
        return status;
    if (!p->outcome.ended) {
        struct errand_error err = {0};
        er_fail(&err, ERRAND_BUG, "the loop ended and run %s did not; "
            "errand resume goes on with it", p->outcome.run);
        return er_cli_fail(cli, &err);
    }
    if (cli->args.json)
        print_object(p);
    say_end(p);
    return er_outcome_status(&p->outcome);
}

int er_printer_refused(struct er_printer *p, const struct errand_error *err)
{
    er_outcome_refused(&p->outcome, err);
    if (p->cli->args.json)
        print_object(p);
    return er_cli_fail(p->cli, err);
}
