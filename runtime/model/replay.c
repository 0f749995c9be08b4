/* Reading a recording, and finding the exchange that answers a request. */
#include "model/replay.h"

#include "base/buf.h"
#include "base/text.h"
#include "model/replay_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 512 << 20, READ_SIZE = 64 * 1024 };

void er_replay_close(struct er_replay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        json_decref(r->shots[i].events);
    free(r->shots);
    json_decref(r->by_print);
    json_decref(r->by_turn);
    free(r->path);
    free(r);
}

static int read_file(
    const char *path, struct er_buf *out, struct errand_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return er_fail_errno(
            err, ERRAND_IO, "cannot open the recording '%.140s'", path);
    ssize_t n = 0;
    do {
        if (!er_buf_reserve(out, READ_SIZE))
            break;
        n = read(fd, out->data + out->len, READ_SIZE);
        out->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    int rc = ERRAND_OK;
    if (out->no_memory)
        rc = er_nomem(err);
    else if (out->failed)
        rc = er_fail(err, ERRAND_TOO_LARGE,
            "the recording '%.140s' is larger than %d MiB", path,
            FILE_MAX >> 20);
    else if (n < 0)
        rc = er_fail_errno(
            err, ERRAND_IO, "cannot read the recording '%.140s'", path);
    close(fd);
    return rc;
}

/* Put shot i in front of the chain that key names. Called from the last to
 * the first, so that chains are in the file's order. */
static size_t chain(json_t *map, const char *key, size_t i)
{
    const json_t *head = json_object_get(map, key);
    size_t next =
        head ? (size_t)json_integer_value(head) : ER_NO_SHOT;
    if (json_object_set_new(map, key, json_integer((json_int_t)i)) != 0)
        return i; /* a chain to itself: no memory */
    return next;
}

static void turn_key(int64_t turn, char out[24])
{
    snprintf(out, 24, "%" PRId64, turn);
}

/* prints: the fingerprints, NULL where a line has none. */
static bool index_shots(struct er_replay *r, const json_t *prints)
{
    r->by_print = json_object();
    r->by_turn = json_object();
    for (size_t i = r->count; i-- > 0;) {
        struct er_shot *s = &r->shots[i];
        char key[24];
        turn_key(s->turn, key);
        s->next_turn = chain(r->by_turn, key, i);
        s->cursor_turn = s->cursor_print = i;
        const char *print = json_string_value(json_array_get(prints, i));
        s->next_print =
            print ? chain(r->by_print, print, i) : ER_NO_SHOT;
        if (s->next_turn == i || s->next_print == i)
            return false;
    }
    return true;
}

static int add_line(struct er_replay *r, size_t *room, json_t *prints,
    const char *text, size_t len, struct errand_error *err)
{
    if (r->count == *room) {
        *room = *room ? *room * 2 : 16;
        struct er_shot *grown = realloc(r->shots, *room * sizeof *grown);
        if (!grown)
            return er_nomem(err);
        r->shots = grown;
    }
    struct er_shot *s = &r->shots[r->count];
    *s = (struct er_shot){0};
    json_t *print = NULL;
    int rc = er_replay_check(text, len, s, &print, err);
    if (rc != ERRAND_OK)
        return rc;
    r->count++;
    if (json_array_append_new(prints, print ? print : json_null()) != 0)
        return er_nomem(err);
    return ERRAND_OK;
}

static int read_lines(struct er_replay *r, const struct er_buf *text,
    json_t *prints, struct errand_error *err)
{
    const char *at = er_buf_str(text), *end = at + text->len;
    size_t room = 0, line = 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        size_t len = (size_t)(stop - at);
        line++;
        if (strspn(at, " \t\r") < len) {
            int rc = add_line(r, &room, prints, at, len, err);
            if (rc != ERRAND_OK)
                return er_while(
                    err, "recording '%.80s', line %zu", r->path, line);
        }
        at = stop + 1;
    }
    if (r->count == 0)
        return er_fail(err, ERRAND_SYNTAX,
            "the recording '%.140s' is empty; make one with --record",
            r->path);
    return ERRAND_OK;
}

struct er_replay *er_replay_open(const char *path, struct errand_error *err)
{
    struct er_replay *r = calloc(1, sizeof *r);
    struct er_buf text;
    er_buf_init(&text, FILE_MAX);
    json_t *prints = json_array();
    int rc = ERRAND_OK;
    if (!r || !prints || !(r->path = er_strdup(path)))
        rc = er_nomem(err);
    if (rc == ERRAND_OK)
        rc = read_file(path, &text, err);
    if (rc == ERRAND_OK)
        rc = read_lines(r, &text, prints, err);
    if (rc == ERRAND_OK && !index_shots(r, prints))
        rc = er_nomem(err);
    json_decref(prints);
    er_buf_release(&text);
    if (rc != ERRAND_OK) {
        er_replay_close(r);
        return NULL;
    }
    return r;
}

/* ------------------------------------------------- choosing */

static struct er_shot *first_of(
    struct er_replay *r, const json_t *map, const char *key)
{
    const json_t *head = json_object_get(map, key);
    return head ? &r->shots[json_integer_value(head)] : NULL;
}

static struct er_shot *next_exact(
    struct er_replay *r, struct er_shot *first)
{
    size_t start = (size_t)(first - r->shots);
    while (!first->looping) {
        size_t i = first->cursor_print;
        if (i == ER_NO_SHOT) {
            first->looping = true;
            first->cursor_print = start;
            break;
        }
        first->cursor_print = r->shots[i].next_print;
        if (!r->shots[i].used)
            return &r->shots[i];
    }
    struct er_shot *s = &r->shots[first->cursor_print];
    first->cursor_print =
        s->next_print == ER_NO_SHOT ? start : s->next_print;
    return s;
}

static struct er_shot *next_of_turn(
    struct er_replay *r, struct er_shot *first)
{
    while (first && first->cursor_turn != ER_NO_SHOT) {
        struct er_shot *s = &r->shots[first->cursor_turn];
        first->cursor_turn = s->next_turn;
        if (!s->used)
            return s;
    }
    return NULL;
}

const struct er_shot *er_replay_choose(struct er_replay *r,
    const struct er_fingerprint *print, struct errand_error *err)
{
    char key[24];
    struct er_shot *first = first_of(r, r->by_print, print->hex);
    struct er_shot *s;
    if (first) {
        s = next_exact(r, first);
    } else {
        turn_key(print->turn, key);
        s = next_of_turn(r, first_of(r, r->by_turn, key));
    }
    if (s)
        s->used = true;
    else
        er_fail(err, ERRAND_NOT_FOUND,
            "the recording '%.80s' has no answer left for turn %" PRId64
            " of this conversation; ask as it was recorded, or record anew "
            "with --record",
            r->path, print->turn);
    return s;
}
