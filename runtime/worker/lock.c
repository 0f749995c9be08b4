/* The first request of every worker. It says what the process may touch, and
 * there is no second one. */
#include "lock.h"

#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REPORT_MOST = 64 * 1024,
    MEMORY_MB_MOST = 1024 * 1024,
};

void er_cage_holds(
    struct er_cage_report *report, const char *name, const char *json)
{
    er_buf_addf(&report->enforced, "%s\"%s\":%s",
        report->enforced.len ? "," : "", name, json);
}

void er_cage_lacks(struct er_cage_report *report, const char *text)
{
    if (report->missing.len)
        er_buf_addc(&report->missing, ',');
    er_json_add_string(&report->missing, text, strlen(text));
}

static bool refuse(struct er_buf *out, const char *why)
{
    er_buf_adds(out, ",\"ok\":false,\"message\":");
    er_json_add_string(out, why, strlen(why));
    return false;
}

/* Open what is granted, while that can still be done. */
static bool open_grants(
    const json_t *request, struct er_cage *cage, const char **why)
{
    static const char *const kinds[] = {
        [ER_CAGE_LUA] = "lua", [ER_CAGE_PLUGIN] = "plugin"};
    const char *kind = er_json_str(request, "kind");
    json_int_t mb = er_json_int(request, "memory_mb", 0);
    for (int i = ER_CAGE_LUA; kind && i <= ER_CAGE_PLUGIN; i++)
        if (strcmp(kind, kinds[i]) == 0)
            cage->kind = (enum er_cage_kind)i;
    *why = "the kind of worker is not known";
    if (!cage->kind)
        return false;
    *why = "memory_mb must be 0 (the usual) to 1048576";
    if (mb < 0 || mb > MEMORY_MB_MOST)
        return false;
    cage->memory_mb = mb;
    *why = "the roots cannot be opened: too many, too long, or no memory";
    return er_roots_open(&cage->read, json_object_get(request, "read"),
               false) &&
           er_roots_open(&cage->write, json_object_get(request, "write"),
               true) &&
           er_roots_open(&cage->files, json_object_get(request, "files"),
               false) &&
           er_roots_open_programs(
               &cage->run, json_object_get(request, "run")) &&
           er_guard_open(&cage->guard, request);
}

static bool lies_below(const struct er_roots *roots, const char *path)
{
    for (size_t i = 0; i < roots->n; i++) {
        const struct er_root *root = &roots->list[i];
        if (er_path_below(path, root->given) ||
            (root->real && er_path_below(path, root->real)))
            return true;
    }
    return false;
}

static bool is_granted(const struct er_cage *cage, const char *path)
{
    return *path &&
           (lies_below(&cage->read, path) || lies_below(&cage->write, path));
}

/* The real place of an absolute path's folder, with its name behind. */
static bool follow_folder(const char *path, char out[PATH_MAX])
{
    char folder[PATH_MAX];
    const char *name = strrchr(path, '/');
    size_t n = (size_t)(name - path);
    memcpy(folder, n ? path : "/", n ? n : 1);
    folder[n ? n : 1] = '\0';
    if (!realpath(folder, out) || strlen(out) + strlen(name) >= PATH_MAX)
        return false;
    size_t at = strcmp(out, "/") == 0 ? 0 : strlen(out);
    memcpy(out + at, name, strlen(name) + 1);
    return true;
}

/* Lua goes through ctx.fs, which guards what lies inside a root; a plugin
 * opens files itself, and Landlock takes nothing out of a folder. */
static bool spares_store(const struct er_cage *cage, const char **why)
{
    *why = "errand's store lies in a folder that is granted to the plugin, "
           "which could read or change it: grant a smaller folder, or keep "
           "the store elsewhere (--store)";
    for (size_t i = 0; i < cage->guard.secrets; i++) {
        char real[PATH_MAX];
        const char *path = cage->guard.secret[i];
        if (!follow_folder(path, real))
            real[0] = '\0'; /* the folder is not there yet */
        if (is_granted(cage, path) || is_granted(cage, real))
            return cage->kind != ER_CAGE_PLUGIN;
    }
    return true;
}

/* The C library reads files when it is first asked for the local time. */
static void read_ahead(void) { tzset(); }

bool er_op_lock(
    const json_t *request, struct er_cage *cage, struct er_buf *out)
{
    struct er_cage_report report;
    const char *why = "";
    er_buf_init(&report.enforced, REPORT_MOST);
    er_buf_init(&report.missing, REPORT_MOST);
    bool ok = open_grants(request, cage, &why) && spares_store(cage, &why);
    if (ok) {
        read_ahead();
        ok = er_platform_limit(cage, &report, &why) &&
             er_platform_confine(cage, &report, &why) &&
             er_platform_filter(cage, &report, &why);
    }
    if (ok) {
        er_buf_adds(out, ",\"ok\":true,\"enforced\":{");
        er_buf_adds(out, er_buf_str(&report.enforced));
        er_buf_adds(out, "},\"missing\":[");
        er_buf_adds(out, er_buf_str(&report.missing));
        er_buf_addc(out, ']');
    } else {
        refuse(out, why);
    }
    er_buf_release(&report.enforced);
    er_buf_release(&report.missing);
    return ok;
}

void er_cage_release(struct er_cage *cage)
{
    er_roots_release(&cage->read);
    er_roots_release(&cage->write);
    er_roots_release(&cage->run);
    er_roots_release(&cage->files);
    er_guard_release(&cage->guard);
}
