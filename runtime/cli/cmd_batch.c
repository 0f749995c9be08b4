/* errand batch: many requests at once, safe to repeat.
 *
 * Each request gets a client key from what it asks and where it stands in
 * the file. The store answers a known key with the run that has it: repeated
 * after a crash or Ctrl-C, what is finished is not asked again and what was
 * interrupted goes on. Results are written in the order of the requests.
 */
#include "base/sha256.h"
#include "base/text.h"
#include "batch_line.h"
#include "cli.h"
#include "granter.h"
#include "input.h"
#include "many.h"
#include "request.h"
#include "write.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOBS = 8, KEY_SIZE = 6 + 40 + 1 };

/* Results that wait for an earlier one: slot head + i is of request
 * base + i, NULL until it ended. */
struct queue {
    char **slots;
    size_t head, n, cap;
    int64_t base;
};

struct batch {
    struct er_cli *cli;
    struct errand_request defaults; /* what the command line says */
    struct er_lines lines;
    struct queue queue;
    struct er_write write;
    bool to_file;
};

/* What a job carries besides its outcome. */
struct item {
    json_t *id;
    bool structured;
};

/* --------------------------------------------------------------- results */

static bool queue_room(struct queue *q, size_t slots)
{
    if (q->head + slots <= q->cap)
        return true;
    if (q->n > 0)
        memmove(q->slots, q->slots + q->head, q->n * sizeof *q->slots);
    q->head = 0;
    if (slots <= q->cap)
        return true;
    size_t cap = slots * 2;
    char **grown = realloc(q->slots, cap * sizeof *grown);
    if (!grown)
        return false;
    q->slots = grown;
    q->cap = cap;
    return true;
}

/* Put a result (taken) at its place; false: no memory. */
static bool queue_put(struct queue *q, int64_t index, char *text)
{
    size_t at = (size_t)(index - q->base);
    if (!text || !queue_room(q, at + 1)) {
        free(text);
        return false;
    }
    while (q->n <= at)
        q->slots[q->head + q->n++] = NULL;
    q->slots[q->head + at] = text;
    return true;
}

static void write_line(struct batch *b, const char *text)
{
    if (!b->to_file) {
        er_term_outs(&b->cli->term, text);
        er_term_outs(&b->cli->term, "\n");
        return;
    }
    fputs(text, b->write.file);
    fputc('\n', b->write.file);
}

/* Write what is at the front; with all, skip the gaps as well. */
static void queue_flush(struct batch *b, bool all)
{
    struct queue *q = &b->queue;
    while (q->n > 0 && (all || q->slots[q->head])) {
        if (q->slots[q->head])
            write_line(b, q->slots[q->head]);
        free(q->slots[q->head]);
        q->head++;
        q->n--;
        q->base++;
    }
}

static void ended(void *ctx, struct er_job *job)
{
    struct batch *b = ctx;
    struct item *item = job->data;
    json_t *out = er_outcome_json(&job->outcome, item && item->structured);
    if (out) {
        json_object_set_new(out, "index", json_integer(job->index));
        if (item && item->id)
            json_object_set(out, "id", item->id);
    }
    char *text = out ? er_json_text(out) : NULL;
    if (!queue_put(&b->queue, job->index, text))
        er_term_error(&b->cli->term, "out of memory: the result of request "
            "%lld is in the store only", (long long)job->index);
    queue_flush(b, false);
    json_decref(out);
    if (item)
        json_decref(item->id);
    free(item);
}

/* -------------------------------------------------------------- requests */

static void hash_text(struct er_sha256 *s, const char *text)
{
    er_sha256_add(s, text ? "+" : "-", 1);
    if (text)
        er_sha256_add(s, text, strlen(text) + 1);
}

/* The same for the same line at the same place, asked the same way. */
static void make_key(const struct batch *b, int64_t index, const char *line,
    size_t len, char out[KEY_SIZE])
{
    const struct errand_request *d = &b->defaults;
    struct er_sha256 s;
    unsigned char digest[32];
    char number[24];
    er_sha256_init(&s);
    hash_text(&s, b->cli->args.key);
    hash_text(&s, d->model);
    hash_text(&s, d->system);
    for (size_t i = 0; d->tools && d->tools[i]; i++)
        hash_text(&s, d->tools[i]);
    hash_text(&s, NULL);
    hash_text(&s, d->params);
    hash_text(&s, d->schema);
    hash_text(&s, d->tool_choice);
    if (d->functions) /* without any, keys are as they always were */
        hash_text(&s, d->functions);
    snprintf(number, sizeof number, "%lld", (long long)index);
    hash_text(&s, number);
    er_sha256_add(&s, line, len);
    er_sha256_end(&s, digest);
    memcpy(out, "batch-", 6);
    er_hex(digest, 20, out + 6);
}

static int start_line(struct batch *b, struct er_job *job, const char *line,
    size_t len, struct errand_error *err)
{
    struct errand_request req = b->defaults;
    struct item *item = job->data;
    struct er_arena arena;
    char key[KEY_SIZE];
    er_arena_init(&arena);
    make_key(b, job->index, line, len, key);
    req.client_key = key;
    req.on_event = er_many_event;
    req.user = job;
    int code = er_batch_line(line, len, &arena, &req, &item->id, err);
    item->structured = req.schema != NULL;
    if (!code)
        code = errand_start(b->cli->rt, &req, NULL, err);
    er_arena_release(&arena);
    return code;
}

/* The next line that is not blank: 1, 0 at the end, -1 with err set. */
static int next_line(struct batch *b, const char **line, size_t *len,
    struct errand_error *err)
{
    int got;
    do {
        got = er_lines_next(&b->lines, line, len, err);
    } while (got > 0 && er_input_is_blank(*line, *len));
    while (got > 0 && *len > 0 && (*line)[*len - 1] == '\r')
        (*len)--;
    return got;
}

static int start(void *ctx, struct er_job *job)
{
    struct batch *b = ctx;
    struct errand_error err = {0};
    const char *line = NULL;
    size_t len = 0;
    int got = next_line(b, &line, &len, &err);
    if (got == 0)
        return 0;
    job->data = calloc(1, sizeof(struct item));
    int code = err.code;
    if (!job->data)
        code = er_nomem(&err);
    else if (got > 0)
        code = start_line(b, job, line, len, &err);
    if (!code)
        return 1;
    er_while(&err, "line %lld", (long long)b->lines.number);
    er_term_error(&b->cli->term, "%s", err.msg);
    er_outcome_refused(&job->outcome, &err);
    return -1;
}

/* ------------------------------------------------------------- the whole */

/* Requests in the file, for the bar; 0 if it can be read only once. */
static int64_t count_requests(const char *path)
{
    struct stat st;
    struct errand_error err = {0};
    struct batch b = {.cli = NULL};
    const char *line;
    size_t len;
    int64_t n = 0;
    int got, fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        er_lines_init(&b.lines, fd);
        while ((got = next_line(&b, &line, &len, &err)) != 0)
            n++;
        er_lines_release(&b.lines);
    }
    close(fd);
    return n;
}

static void say_sum(const struct er_many *m)
{
    struct er_term *t = &m->cli->term;
    er_term_note(t, ER_DIM, "%lld requests: %lld done, %lld failed, %lld "
        "paused", (long long)m->started, (long long)m->done,
        (long long)m->failed, (long long)m->paused);
    if (!m->exhausted || m->failed > 0 || m->paused > 0)
        er_term_note(t, ER_PLAIN, "the same command again goes on with what "
            "is not done; what is done is not asked again");
}

static int run_all(struct batch *b, const char *path)
{
    struct er_cli *cli = b->cli;
    struct er_many many = {
        .cli = cli,
        .source = {.start = start, .ended = ended, .ctx = b},
        .what = "requests",
        .limit = cli->args.jobs ? cli->args.jobs : JOBS,
        .total = er_term_has_progress(&cli->term) ? count_requests(path) : 0,
    };
    int status = er_many_run(&many);
    queue_flush(b, true);
    free(b->queue.slots);
    say_sum(&many);
    return status;
}

/* Results to FILE appear there only when all requests ended. */
static int run_to_file(struct batch *b, const char *path)
{
    struct errand_error err = {0};
    const char *output = b->cli->args.output;
    if (!output)
        return run_all(b, path);
    b->to_file = true;
    if (er_write_begin(&b->write, output, &err))
        return er_cli_fail(b->cli, &err);
    int status = run_all(b, path);
    if (status == ER_EXIT_INTERRUPTED)
        er_write_cancel(&b->write);
    else if (er_write_commit(&b->write, &err))
        status = er_cli_fail(b->cli, &err);
    return status;
}

int er_cmd_batch(struct er_cli *cli)
{
    struct errand_error err = {0};
    struct batch b = {.cli = cli};
    struct er_arena arena;
    const char *path = cli->words[0];
    bool dash = strcmp(path, "-") == 0;
    int fd = dash ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        er_fail_errno(&err, ERRAND_NOT_FOUND, "cannot open %.150s", path);
        return er_cli_fail(cli, &err);
    }
    er_arena_init(&arena);
    er_lines_init(&b.lines, fd);
    int code = er_request_build(cli, &arena, &b.defaults, &err);
    int status = code ? er_cli_fail(cli, &err) : er_cli_open(cli);
    if (!status)
        status = er_granter_run(cli, NULL, false);
    if (!status)
        status = run_to_file(&b, path);
    er_lines_release(&b.lines);
    er_arena_release(&arena);
    if (!dash)
        close(fd);
    return status;
}
