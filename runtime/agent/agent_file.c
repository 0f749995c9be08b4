/* Finding, reading and judging the files of agents. */
#include "agent/agent_file.h"

#include "base/distance.h"
#include "base/embedded.h"
#include "base/program_path.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef ERRAND_SHARE
#define ERRAND_SHARE "/usr/local/share/errand"
#endif

enum { FOLDERS = 4, ERRORS_SHOWN = 20, KEPT_MOST = 256 };

/* --------------------------------------------------------------- folders */

/* The i-th folder that agents lie in; NULL: there is none. Caller frees. */
static char *folder(int i)
{
    char self[4096];
    struct er_buf dir;
    if (i == 0)
        return er_strdup("agents");
    if (i == 1)
        return er_config_user_path("CONFIG", "agents");
    if (i == 3)
        return er_strdup(ERRAND_SHARE "/agents");
    ssize_t n = er_program_path(self, sizeof self);
    char *slash = n > 0 ? strrchr(self, '/') : NULL;
    if (!slash)
        return NULL;
    er_buf_init(&dir, sizeof self + 64);
    er_buf_addf(&dir, "%.*s/../share/errand/agents", (int)(slash - self),
        self);
    return er_buf_take(&dir, NULL);
}

static char *join(const char *dir, const char *name, const char *ending)
{
    struct er_buf b;
    er_buf_init(&b, 16384);
    er_buf_addf(&b, "%s/%s%s", dir, name, ending);
    return er_buf_take(&b, NULL);
}

static bool is_path(const char *name)
{
    size_t len = strlen(name);
    return strchr(name, '/') ||
           (len > 4 && strcmp(name + len - 4, ".lua") == 0);
}

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return len >= 1 && len <= 64 && name[len] == '\0';
}

/* "a/b/c.lua": "c"; caller frees. */
static char *stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *from = slash ? slash + 1 : path;
    size_t len = strlen(from);
    if (len > 4 && strcmp(from + len - 4, ".lua") == 0)
        len -= 4;
    return er_strndup(from, len);
}

static bool is_agent_file(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0 &&
           name[0] != '.' && name[0] != '_' &&
           strcmp(name, "template.lua") != 0;
}

/* Names of all agents, each once; the first folder that has it wins:
 * {"name": "path"}. NULL: no memory. */
static json_t *all_names(void)
{
    json_t *names = json_object();
    for (int i = 0; names && i < FOLDERS; i++) {
        char *dir = folder(i);
        struct dirent **entries = NULL;
        int n = dir ? scandir(dir, &entries, NULL, alphasort) : 0;
        for (int k = 0; k < n; k++) {
            char *name = stem(entries[k]->d_name);
            char *path = join(dir, entries[k]->d_name, "");
            if (name && path && is_agent_file(entries[k]->d_name) &&
                is_name(name) && !json_object_get(names, name))
                json_object_set_new(names, name, json_string(path));
            free(name);
            free(path);
            free(entries[k]);
        }
        free(entries);
        free(dir);
    }
    return names;
}

static int no_agent(const char *name, struct errand_error *err)
{
    json_t *names = all_names(), *v;
    const char *key, *near = NULL;
    size_t best = SIZE_MAX;
    json_object_foreach(names, key, v)
    {
        size_t d = er_text_distance(name, key);
        if (d < best && er_text_similar(name, key)) {
            best = d;
            near = key;
        }
    }
    int rc = near
        ? er_fail(err, ERRAND_NOT_FOUND,
              "there is no agent \"%.64s\"; did you mean %.64s?", name, near)
        : er_fail(err, ERRAND_NOT_FOUND,
              "there is no agent \"%.64s\"; `errand agents list` shows those "
              "there are, a path (./my.lua) names any file", name);
    json_decref(names);
    return rc;
}

/* Where the agent's file is; caller frees. */
static char *find(const char *name, struct errand_error *err)
{
    if (is_path(name))
        return er_strdup(name);
    for (int i = 0; i < FOLDERS && is_name(name); i++) {
        char *dir = folder(i), *path = dir ? join(dir, name, ".lua") : NULL;
        free(dir);
        if (path && access(path, F_OK) == 0)
            return path;
        free(path);
    }
    no_agent(name, err);
    return NULL;
}

/* --------------------------------------------------------------- judging */

/* The first line on which key is given a value; 0: none. */
static int64_t line_of(const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    size_t n = strlen(key);
    int64_t at = 0, found = 0;
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *s = line + strspn(line, " \t");
        at++;
        if (n > 0 && strncmp(s, key, n) == 0 &&
            s[n + strspn(s + n, " \t")] == '=')
            found = at;
    }
    if (f)
        fclose(f);
    return found;
}

static int add_problem(json_t *problems, int64_t line, const char *message)
{
    json_t *p = json_pack("{s:I, s:s}", "line", (json_int_t)line, "message",
        message);
    return p ? json_array_append_new(problems, p) : -1;
}

/* A schema's "/tools/0: is a number" as "tools[0]: ..." with its line. */
static int add_schema_problem(
    json_t *problems, const char *path, const json_t *error)
{
    const char *at = er_json_str(error, "path");
    const char *what = er_json_str(error, "message");
    char key[80] = "", text[700];
    if (at && at[0] == '/') {
        size_t len = strcspn(at + 1, "/");
        snprintf(key, sizeof key, "%.*s", (int)(len < 70 ? len : 70), at + 1);
    }
    snprintf(text, sizeof text, "%.160s%s%.500s", at && at[0] ? at + 1 : "",
        at && at[0] ? ": " : "", what ? what : "does not fit");
    er_text_trim_utf8(text);
    return add_problem(problems, line_of(path, key), text);
}

/* Compiled; reg must live as long as it does. */
static er_schema *agent_schema(
    er_schema_registry *reg, struct errand_error *err)
{
    static const char *const names[] = {
        "config.schema.json", "agent.schema.json"};
    json_t *docs[2] = {NULL, NULL};
    er_schema *s = NULL;
    for (int i = 0; i < 2; i++) {
        size_t len = 0;
        const char *text = er_embedded(names[i], &len);
        if (text)
            docs[i] = er_json_parse(text, len, ER_JSON_STRICT, err);
    }
    if (reg && docs[0] && docs[1] &&
        er_schema_registry_add(reg,
            "https://errand.invalid/schemas/config.schema.json", docs[0],
            err) == ERRAND_OK)
        s = er_schema_compile(docs[1], ER_DRAFT_2020_12, 0, reg, err);
    json_decref(docs[0]);
    json_decref(docs[1]);
    return s;
}

static int check_schema_of(const json_t *table, const char *key,
    const char *path, json_t *problems, er_schema **out)
{
    struct errand_error why = {0};
    const json_t *schema = json_object_get(table, key);
    char text[300];
    if (!schema)
        return 0;
    er_schema *s =
        er_schema_compile(schema, ER_DRAFT_2020_12, 0, NULL, &why);
    if (out)
        *out = s;
    else
        er_schema_free(s);
    if (s)
        return 0;
    snprintf(text, sizeof text, "%s: %s", key, why.msg);
    return add_problem(problems, line_of(path, key), text);
}

static int check_fit(const struct er_agent *a, json_t *problems)
{
    const char *said = er_json_str(a->table, "name");
    char text[200];
    if (said && strcmp(said, a->name) != 0) {
        snprintf(text, sizeof text, "name is \"%.64s\", the file's is "
            "\"%.64s\"; agents are found by the file's", said, a->name);
        return add_problem(problems, line_of(a->path, "name"), text);
    }
    if (a->is_script && er_json_str(a->table, "prompt"))
        return add_problem(problems, line_of(a->path, "prompt"),
            "prompt is for agents without a script; this one has run");
    return 0;
}

/* Hold the table against all that agents must be. */
static int judge(
    struct er_agent *a, json_t *problems, struct errand_error *err)
{
    size_t i;
    json_t *e, *errors = json_array();
    er_schema_registry *reg = er_schema_registry_new();
    er_schema *s = errors ? agent_schema(reg, err) : NULL;
    int rc = s ? 0 : -1;
    if (s && !er_schema_check(s, a->table, errors, ERRORS_SHOWN))
        json_array_foreach(errors, i, e)
            rc |= add_schema_problem(problems, a->path, e);
    if (s && json_array_size(problems) == 0) {
        rc |= check_schema_of(
            a->table, "parameters", a->path, problems, &a->parameters);
        rc |= check_schema_of(a->table, "schema", a->path, problems, NULL);
        rc |= check_fit(a, problems);
    }
    er_schema_free(s);
    er_schema_registry_free(reg);
    json_decref(errors);
    if (rc == 0)
        return ERRAND_OK;
    return err->code ? err->code : er_nomem(err);
}

/* --------------------------------------------------------------- reading */

static void free_agent(struct er_agent *a)
{
    if (!a)
        return;
    er_script_drop(a->file);
    er_schema_free(a->parameters);
    json_decref(a->what);
    free(a->name);
    free(a->path);
    free(a);
}

static void stamp(const char *path, int64_t out[4])
{
    struct stat st;
    memset(out, 0, 4 * sizeof out[0]);
    if (stat(path, &st) != 0)
        return;
    out[0] = (int64_t)st.st_ino;
    out[1] = (int64_t)st.st_size;
    out[2] = (int64_t)st.st_mtim.tv_sec;
    out[3] = (int64_t)st.st_mtim.tv_nsec;
}

/* Read it, with all that is wrong in problems. NULL: not even that. */
static struct er_agent *read_agent(errand *rt, const char *path,
    json_t *problems, struct errand_error *err)
{
    struct er_agent *a = calloc(1, sizeof *a);
    if (!a || !(a->path = er_strdup(path)) || !(a->name = stem(path))) {
        free_agent(a);
        er_nomem(err);
        return NULL;
    }
    a->holders = 1;
    stamp(path, a->stamp);
    a->file = er_script_read(rt->tools, path, &a->what, err);
    int rc = a->file ? ERRAND_OK : err->code;
    if (rc == ERRAND_OK) {
        a->table = json_object_get(a->what, "agent");
        a->is_script = json_is_true(json_object_get(a->what, "script"));
        if (json_is_object(a->table))
            rc = judge(a, problems, err);
        else if (json_array_extend(
                     problems, json_object_get(a->what, "problems")) != 0)
            rc = er_nomem(err);
    }
    if (rc == ERRAND_OK)
        return a;
    free_agent(a);
    return NULL;
}

static int say_problem(const char *path, const json_t *problems,
    struct errand_error *err)
{
    const json_t *p = json_array_get(problems, 0);
    const char *message = er_json_str(p, "message");
    long long line = er_json_int(p, "line", 0);
    char place[32] = "";
    if (line > 0)
        snprintf(place, sizeof place, ":%lld", line);
    return er_fail(err, ERRAND_SYNTAX, "%.80s%s: %.120s", path, place,
        message ? message : "no agent");
}

static struct er_agent *kept(errand *rt, const char *path)
{
    int64_t now[4];
    stamp(path, now);
    for (struct er_agent *a = rt->agents; a; a = a->next)
        if (strcmp(a->path, path) == 0 &&
            memcmp(a->stamp, now, sizeof now) == 0)
            return a;
    return NULL;
}

struct er_agent *er_agent_load(
    errand *rt, const char *name, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    char *path = find(name, err);
    struct er_agent *a = path ? kept(rt, path) : NULL;
    json_t *problems = json_array();
    if (path && !a && problems) {
        a = read_agent(rt, path, problems, err);
        if (a && json_array_size(problems) > 0) {
            say_problem(path, problems, err);
            free_agent(a);
            a = NULL;
        } else if (a) {
            a->next = rt->agents; /* holds one for the list */
            rt->agents = a;
        }
    }
    json_decref(problems);
    free(path);
    if (a)
        a->holders++;
    return a;
}

void er_agent_drop(struct er_agent *a)
{
    if (a && --a->holders == 0)
        free_agent(a);
}

void er_agents_close(errand *rt)
{
    while (rt->agents) {
        struct er_agent *a = rt->agents;
        rt->agents = a->next;
        er_agent_drop(a);
    }
}

/* ------------------------------------------------------------ for people */

static json_t *public_table(const struct er_agent *a)
{
    json_t *out = json_copy((json_t *)a->table);
    if (!out || json_object_set_new(out, "name", json_string(a->name)) != 0 ||
        json_object_set_new(out, "path", json_string(a->path)) != 0 ||
        json_object_set_new(out, "script", json_boolean(a->is_script)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *er_agent_check(
    errand *rt, const char *path, struct errand_error *err)
{
    json_t *problems = json_array(), *out = NULL;
    char *file = problems ? find(path, err) : NULL;
    struct er_agent *a =
        file ? read_agent(rt, file, problems, err) : NULL;
    bool ok = a && json_array_size(problems) == 0;
    if (a)
        out = json_pack("{s:b, s:O}", "ok", ok, "problems", problems);
    if (out && ok)
        json_object_set_new(out, "agent", public_table(a));
    free_agent(a);
    free(file);
    json_decref(problems);
    if (!out && !err->code)
        er_nomem(err);
    return out;
}

int errand_agents_check(
    errand *rt, const char *name, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    *json = NULL;
    json_t *report = er_agent_check(rt, name, err);
    if (!report)
        return err->code;
    *json = er_json_text(report);
    json_decref(report);
    return *json ? ERRAND_OK : er_nomem(err);
}

/* One row of the list: a file that is wrong says why. */
static json_t *row(errand *rt, const char *name, const char *path,
    struct errand_error *err)
{
    json_t *report = er_agent_check(rt, path, err), *out = NULL;
    if (!report)
        return NULL;
    const json_t *agent = json_object_get(report, "agent");
    const json_t *problem =
        json_array_get(json_object_get(report, "problems"), 0);
    if (agent)
        out = json_incref((json_t *)agent);
    else
        out = json_pack("{s:s, s:s, s:O?}", "name", name, "path", path,
            "problem", problem);
    json_decref(report);
    return out;
}

int errand_agents_list(errand *rt, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *names = all_names(), *list = json_array(), *v;
    const char *key;
    int rc = names && list ? ERRAND_OK : er_nomem(err);
    *json = NULL;
    json_object_foreach(names, key, v)
    {
        json_t *r = rc == ERRAND_OK
            ? row(rt, key, json_string_value(v), err) : NULL;
        if (rc == ERRAND_OK && json_array_append_new(list, r) != 0)
            rc = err->code ? err->code : er_nomem(err);
    }
    if (rc == ERRAND_OK)
        *json = er_json_text(list);
    if (rc == ERRAND_OK && !*json)
        rc = er_nomem(err);
    json_decref(names);
    json_decref(list);
    return rc;
}
