/* Line editing over libedit, and its plain stand-in. */
#include "editor.h"

#include "base/text.h"
#include "input.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_SIZE = 1000 };

struct er_editor {
    EditLine *edit; /* NULL: plain */
    History *history;
    struct er_lines lines; /* plain */
    char path[1024];       /* of the history, or "" */
    char prompt[8];
};

/* ---------------------------------------------------------------- history */

/* Make the folders of path, for this person alone. */
static void make_folders(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
}

static void find_history(er_editor *e)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (state && state[0] == '/')
        n = snprintf(
            e->path, sizeof e->path, "%s/errand/chat_history", state);
    else if (home && home[0] == '/')
        n = snprintf(e->path, sizeof e->path,
            "%s/.local/state/errand/chat_history", home);
    if (n < 0 || (size_t)n >= sizeof e->path) {
        e->path[0] = '\0';
        return;
    }
    make_folders(e->path);
    int fd = open(e->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        e->path[0] = '\0';
        return;
    }
    fchmod(fd, 0600);
    close(fd);
}

static void open_history(er_editor *e)
{
    HistEvent ev;
    e->history = history_init();
    if (!e->history)
        return;
    history(e->history, &ev, H_SETSIZE, HISTORY_SIZE);
    history(e->history, &ev, H_SETUNIQUE, 1);
    find_history(e);
    if (e->path[0])
        history(e->history, &ev, H_LOAD, e->path);
    el_set(e->edit, EL_HIST, history, e->history);
}

static void remember(er_editor *e, const char *line)
{
    HistEvent ev;
    if (!e->history || er_input_is_blank(line, strlen(line)))
        return;
    history(e->history, &ev, H_ENTER, line);
    if (e->path[0])
        history(e->history, &ev, H_SAVE, e->path);
}

/* ---------------------------------------------------------------- terminal */

static char *prompt(EditLine *edit)
{
    er_editor *e = NULL;
    el_get(edit, EL_CLIENTDATA, &e);
    return e->prompt;
}

/* A byte from the terminal: 1, 0 at the end, -1 on Ctrl-C. libedit's own
 * reader would try again after a signal. */
static int read_byte(char *c)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!er_signals_came()) {
        int ready = poll(&p, 1, -1);
        if (ready < 0 && errno != EINTR)
            return 0;
        if (ready <= 0)
            continue;
        ssize_t n = read(STDIN_FILENO, c, 1);
        if (n >= 0)
            return (int)n;
        if (errno != EINTR && errno != EAGAIN)
            return 0;
    }
    return -1;
}

static int read_char(EditLine *edit, wchar_t *out)
{
    mbstate_t state = {0};
    (void)edit;
    for (;;) {
        char c;
        int got = read_byte(&c);
        if (got <= 0)
            return got;
        size_t n = mbrtowc(out, &c, 1, &state);
        if (n == (size_t)-2)
            continue; /* the character goes on */
        if (n == (size_t)-1)
            *out = L'?';
        return 1;
    }
}

/* A locale that knows UTF-8, whatever the environment says. */
static void want_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX < 2)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static void open_terminal(er_editor *e)
{
    want_utf8();
    e->edit = el_init("errand", stdin, stderr, stderr);
    if (!e->edit)
        return;
    el_set(e->edit, EL_CLIENTDATA, e);
    el_set(e->edit, EL_PROMPT, prompt);
    el_set(e->edit, EL_EDITOR, "emacs");
    el_set(e->edit, EL_GETCFN, read_char);
    el_set(e->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    open_history(e);
    el_source(e->edit, NULL); /* ~/.editrc */
}

er_editor *er_editor_new(bool editing)
{
    er_editor *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    er_lines_init(&e->lines, STDIN_FILENO);
    if (editing)
        open_terminal(e);
    return e;
}

void er_editor_free(er_editor *e)
{
    if (!e)
        return;
    if (e->history)
        history_end(e->history);
    if (e->edit)
        el_end(e->edit);
    er_lines_release(&e->lines);
    free(e);
}

const char *er_editor_history_path(const er_editor *e) { return e->path; }

/* ---------------------------------------------------------------- messages */

/* One line without its end; borrowed until the next. */
static enum er_editor_result read_line(
    er_editor *e, const char **line, size_t *len)
{
    struct errand_error err = {0};
    if (!e->edit) {
        int got = er_lines_next(&e->lines, line, len, &err);
        return got > 0 ? ER_EDITOR_MESSAGE : ER_EDITOR_END;
    }
    int n = 0;
    er_signals_watch(ER_SIGNAL_NOTE, NULL);
    const char *text = el_gets(e->edit, &n);
    bool interrupted = er_signals_came();
    er_signals_unwatch();
    if (interrupted) {
        el_reset(e->edit);
        fputs("^C\n", stderr);
        return ER_EDITOR_INTERRUPTED;
    }
    if (!text || n <= 0) {
        fputc('\n', stderr);
        return ER_EDITOR_END;
    }
    *line = text;
    *len = (size_t)n;
    if (text[n - 1] == '\n')
        (*len)--;
    return ER_EDITOR_MESSAGE;
}

static bool is_quotes(const char *s, size_t len)
{
    return len >= 3 && memcmp(s, "\"\"\"", 3) == 0;
}

/* Add a line to the message. True if the message goes on. */
static bool add_line(
    struct er_buf *out, const char *line, size_t len, bool *quoted)
{
    if (*quoted && len >= 3 && is_quotes(line + len - 3, 3)) {
        er_buf_add(out, line, len - 3);
        return false;
    }
    if (!*quoted && out->len == 0 && is_quotes(line, len)) {
        *quoted = true;
        return add_line(out, line + 3, len - 3, quoted);
    }
    bool backslash = !*quoted && len > 0 && line[len - 1] == '\\';
    er_buf_add(out, line, backslash ? len - 1 : len);
    if (*quoted || backslash)
        er_buf_addc(out, '\n');
    return *quoted || backslash;
}

enum er_editor_result er_editor_read(er_editor *e, struct er_buf *out)
{
    bool quoted = false, any = false;
    er_buf_reset(out);
    memcpy(e->prompt, "> ", sizeof "> ");
    for (;;) {
        const char *line = "";
        size_t len = 0;
        enum er_editor_result got = read_line(e, &line, &len);
        if (got == ER_EDITOR_END && any)
            return ER_EDITOR_MESSAGE; /* the end ends the message too */
        if (got != ER_EDITOR_MESSAGE)
            return got;
        any = true;
        bool more = add_line(out, line, len, &quoted);
        if (e->edit) {
            char *copy = er_strndup(line, len);
            if (copy)
                remember(e, copy);
            free(copy);
        }
        if (!more)
            return ER_EDITOR_MESSAGE;
        memcpy(e->prompt, "... ", sizeof "... ");
    }
}
