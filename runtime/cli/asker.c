/* Questions in the terminal. */
#include "asker.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SHOWN_MOST = 600, LINE_MOST = 256 * 1024 };

struct er_question {
    struct er_question *next;
    errand_run *run;
    char *call, *tool, *arguments, *why, *rule;
};

/* -------------------------------------------------------------- the person */

void er_asker_init(struct er_asker *a, struct er_cli *cli)
{
    *a = (struct er_asker){.cli = cli, .fd = -1};
    er_buf_init(&a->line, LINE_MOST);
    if (!cli->term.err_tty)
        return;
    if (isatty(STDIN_FILENO)) {
        a->fd = STDIN_FILENO;
        return;
    }
    a->fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    a->opened = a->fd >= 0;
}

static void drop_first(struct er_asker *a)
{
    struct er_question *q = a->first;
    a->first = q->next;
    a->shown = false;
    free(q->call);
    free(q->tool);
    free(q->arguments);
    free(q->why);
    free(q->rule);
    free(q);
}

void er_asker_release(struct er_asker *a)
{
    while (a->first)
        drop_first(a);
    if (a->opened)
        close(a->fd);
    er_buf_release(&a->line);
}

bool er_asker_is_there(const struct er_asker *a) { return a->fd >= 0; }

void er_asker_add(struct er_asker *a, const struct errand_approval *what)
{
    struct er_question *q = calloc(1, sizeof *q), **at = &a->first;
    if (!q)
        return; /* it is asked again when the run is resumed */
    q->run = what->run;
    q->call = er_strdup(what->call);
    q->tool = er_strdup(what->tool);
    q->arguments = er_strdup(what->arguments);
    q->why = er_strdup(what->why);
    q->rule = er_strdup(what->rule);
    while (*at)
        at = &(*at)->next;
    *at = q;
}

/* ------------------------------------------------------------- the question */

/* Characters that are not seen, or that change how others are seen. */
static bool is_hidden(unsigned c)
{
    static const unsigned ranges[][2] = {{0x7f, 0x9f}, {0xad, 0xad},
        {0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

/* The character at s and its length. */
static unsigned decode(const unsigned char *s, size_t *n)
{
    *n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    unsigned c = *n == 1 ? s[0] : s[0] & (0xffu >> (*n + 1));
    for (size_t i = 1; i < *n; i++)
        c = c << 6 | (s[i] & 0x3f);
    return c;
}

void er_asker_show_value(struct er_buf *out, const json_t *value)
{
    char *text = er_json_text(value);
    for (const unsigned char *s = (const unsigned char *)text; s && *s;) {
        size_t n;
        unsigned c = decode(s, &n);
        if (!is_hidden(c))
            er_buf_add(out, s, n);
        else if (c > 0xffff)
            er_buf_addf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10),
                0xdc00 + (c & 0x3ff));
        else
            er_buf_addf(out, "\\u%04x", c);
        s += n;
    }
    free(text);
}

/* One argument; whole: however long it is. True if it was cut. */
static bool show_argument(struct er_term *t, const char *name,
    const json_t *value, bool whole)
{
    struct er_buf b;
    er_buf_init(&b, (size_t)1 << 24);
    er_asker_show_value(&b, value);
    const char *text = er_buf_str(&b);
    size_t cut = whole ? b.len : er_utf8_cut(text, b.len, SHOWN_MOST);
    if (cut == b.len)
        er_term_note(t, ER_PLAIN, "    %s = %s", name, text);
    else
        er_term_note(t, ER_PLAIN, "    %s = %.*s ... (%zu bytes more)", name,
            (int)cut, text, b.len - cut);
    er_buf_release(&b);
    return cut < b.len;
}

/* A plain name as it is, any other as JSON. */
static void show_name(struct er_buf *out, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (*name && strspn(name, plain) == strlen(name)) {
        er_buf_adds(out, name);
        return;
    }
    json_t *key = json_string(name);
    er_asker_show_value(out, key);
    json_decref(key);
}

static bool show_arguments(struct er_term *t, const char *text, bool whole)
{
    const char *name;
    json_t *value, *args =
        er_json_parse(text, strlen(text), ER_JSON_LENIENT, NULL);
    bool cut = false;
    if (json_object_size(args) == 0)
        er_term_note(t, ER_PLAIN, "    without arguments");
    json_object_foreach(args, name, value)
    {
        struct er_buf b;
        er_buf_init(&b, 1 << 20);
        show_name(&b, name);
        cut = show_argument(t, er_buf_str(&b), value, whole) || cut;
        er_buf_release(&b);
    }
    json_decref(args);
    return cut;
}

static void prompt(struct er_asker *a)
{
    static const char text[] = "  y, r, a, n or ? > ";
    er_term_aside(&a->cli->term, ER_BOLD, text, sizeof text - 1);
}

static void show(struct er_asker *a)
{
    struct er_term *t = &a->cli->term;
    const struct er_question *q = a->first;
    bool was_quiet = t->quiet;
    t->quiet = false; /* a question is no chatter */
    er_term_end_line(t);
    er_term_note(t, ER_BOLD, "The model wants to run %s:", q->tool);
    if (show_arguments(t, q->arguments, false))
        er_term_note(t, ER_PLAIN, "    v shows all of it");
    er_term_note(t, ER_DIM, "  It is asked about because of %s.", q->why);
    tcflush(a->fd, TCIFLUSH);
    er_buf_reset(&a->line);
    prompt(a);
    t->quiet = was_quiet;
    a->shown = true;
}

static void help(struct er_asker *a)
{
    struct er_term *t = &a->cli->term;
    const struct er_question *q = a->first;
    er_term_note(t, ER_PLAIN, "    y         yes, this call");
    er_term_note(t, ER_PLAIN,
        "    r         yes, %s for the rest of this run", q->tool);
    er_term_note(t, ER_PLAIN, "    a [RULE]  yes, always: exactly this call, "
        "or what a rule says, as %s(*)", q->tool);
    er_term_note(t, ER_PLAIN,
        "              (kept in the store; errand policy forget undoes it)");
    er_term_note(t, ER_PLAIN, "    n [WHY]   no; the model is told why");
    er_term_note(t, ER_PLAIN, "    v         show the arguments, whole");
    prompt(a);
}

/* -------------------------------------------------------------- the answer */

static void decide(struct er_asker *a, int decision, const char *text)
{
    struct errand_error err = {0};
    struct er_term *t = &a->cli->term;
    struct er_question *q = a->first;
    if (text && !*text)
        text = NULL;
    int code = errand_approve(q->run, q->call, decision, text, &err);
    if (code == ERRAND_USAGE) { /* the rule: ask again */
        er_term_error(t, "%s", err.msg);
        prompt(a);
        return;
    }
    if (code != ERRAND_OK && code != ERRAND_STATE)
        er_term_error(t, "%s", err.msg);
    if (code == ERRAND_OK && decision == ERRAND_ALWAYS)
        er_term_note(t, ER_DIM, "  kept in the store: %.200s",
            text ? text : q->rule);
    drop_first(a);
}

static void take_line(struct er_asker *a, char *line)
{
    while (*line == ' ' || *line == '\t')
        line++;
    char *end = line + strlen(line);
    while (end > line && strchr(" \t\r\n", end[-1]))
        *--end = '\0';
    char *rest = line + strcspn(line, " \t");
    size_t n = (size_t)(rest - line);
    while (*rest == ' ' || *rest == '\t')
        rest++;
    bool alone = *rest == '\0';
    if ((n == 1 && *line == 'y' && alone) || strcmp(line, "yes") == 0)
        decide(a, ERRAND_ONCE, NULL);
    else if (n == 1 && *line == 'r' && alone)
        decide(a, ERRAND_FOR_RUN, NULL);
    else if (n == 1 && *line == 'a')
        decide(a, ERRAND_ALWAYS, rest);
    else if ((n == 1 && *line == 'n') ||
             (n == 2 && line[0] == 'n' && line[1] == 'o'))
        decide(a, ERRAND_REFUSE, rest);
    else if (n == 1 && *line == 'v' && alone) {
        show_arguments(&a->cli->term, a->first->arguments, true);
        prompt(a);
    } else {
        help(a);
    }
}

/* Read what is there; false: nothing is. */
static bool read_some(struct er_asker *a)
{
    char bytes[4096];
    struct pollfd p = {.fd = a->fd, .events = POLLIN};
    if (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLIN | POLLHUP)))
        return false;
    ssize_t n = read(a->fd, bytes, sizeof bytes);
    if (n < 0)
        return errno == EINTR;
    if (n == 0) { /* Ctrl-D: no answer is no */
        er_term_note(&a->cli->term, ER_PLAIN, "no");
        decide(a, ERRAND_REFUSE, NULL);
        return false;
    }
    if (!er_buf_add(&a->line, bytes, (size_t)n))
        er_buf_reset(&a->line);
    return true;
}

bool er_asker_tick(struct er_asker *a)
{
    if (a->fd < 0 || !a->first)
        return false;
    if (!a->shown)
        show(a);
    while (a->first && a->shown && read_some(a)) {
        char *end = a->line.data ? strchr(a->line.data, '\n') : NULL;
        if (!end)
            continue;
        *end = '\0';
        char *line = er_strdup(a->line.data);
        er_buf_reset(&a->line);
        if (line)
            take_line(a, line);
        free(line);
    }
    return a->first != NULL;
}
