/* Calls: values there and back, errors for the model and for the user, and
 * what a tool cannot get around. */
#include "support/tool_kit.h"

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    kit_open(k, NULL, 1);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    free(*state);
    return 0;
}

/* Load one tool "t" with this body. */
static void one_tool(struct kit *k, const char *extra, const char *body)
{
    kit_tool(k, "t", extra, body);
    kit_load(k);
}

/* ------------------------------------------------------ there and back */

static void test_call_values_survive_the_round_trip(void **state)
{
    static const char *const values[] = {"null", "true", "false", "0", "-7",
        "9223372036854775807", "-9223372036854775808", "1.5", "4.0",
        "1e+300", "0.1", "\"\"", "\"text\"", "\"a\\u0000b\"",
        "\"\xC3\xA9 \xF0\x9F\xA6\x99 \\\" \\\\ \\n\"", "[]", "{}", "[[]]",
        "[{}]", "{\"a\":{}}", "{\"a\":[]}", "[null]", "[null,1,null]",
        "{\"a\":null}", "[1,2,3]", "[[1],[2,[3]]]",
        "{\"a\":[1,{\"b\":[]}],\"c\":\"d\"}", "{\"\":1}",
        "{\"1\":\"text key\"}"};
    struct kit *k = *state;
    one_tool(k, "", "return { v = args.v }");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct er_buf json;
        er_buf_init(&json, 10000);
        er_buf_addf(&json, "{\"v\":%s}", values[i]);
        kit_expect(k, "t", json.data, ER_TOOL_OK, json.data);
        er_buf_release(&json);
    }
}

static void test_call_a_text_result_is_the_text(void **state)
{
    struct kit *k = *state;
    one_tool(k, "", "return args.v");
    kit_expect(k, "t", "{\"v\":\"plain \\\"text\\\"\"}", ER_TOOL_OK,
        "plain \"text\"");
    kit_expect(k, "t", "{\"v\":4}", ER_TOOL_OK, "4");
    kit_expect(k, "t", "{}", ER_TOOL_OK, "null");
    kit_expect(k, "t", "{\"v\":[]}", ER_TOOL_OK, "[]");
    struct kept kept = kit_call(k, "t", "{\"v\":\"a\\u0000b\"}", 0);
    assert_int_equal(kept.len, 3);
    assert_memory_equal(kept.text, "a\0b", 4);
    free(kept.text);
}

static void test_call_types_in_lua(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local t = {}\n"
        "for i, v in ipairs(args.v) do t[i] = math.type(v) or "
        "(v == errand.null and 'null') or type(v) end\n"
        "return table.concat(t, ' ')");
    kit_expect(k, "t", "{\"v\":[1,1.0,\"x\",null,true,[],{}]}", ER_TOOL_OK,
        "integer float string null boolean table table");
}

static void test_call_tables_of_the_tools_own(void **state)
{
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"return {}", "{}"},
        {"return errand.array()", "[]"},
        {"return { list = errand.array({}), n = 1 }",
            "{\"list\":[],\"n\":1}"},
        {"return { 1, 'b', true }", "[1,\"b\",true]"},
        {"return { b = 1, a = 2, C = 3 }", "{\"C\":3,\"a\":2,\"b\":1}"},
        {"local t = errand.array(); t[1] = 'x'; return t", "[\"x\"]"},
        {"local t = args.v; table.remove(t); return t", "[]"},
        {"return { 1, errand.null, 3 }", "[1,null,3]"},
        {"return { big = 2^53, int = 1 // 1 }",
            "{\"big\":9007199254740992.0,\"int\":1}"},
        {"return '\\xff\\xc3'", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    struct kit *k = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        kit_tool(k, name, "", rows[i].body);
    }
    kit_load(k);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        kit_expect(k, name, "{\"v\":[1]}", ER_TOOL_OK, rows[i].text);
    }
}

static void test_call_results_that_are_no_json_are_failures(void **state)
{
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"return { v = 0/0 }",
            "result.v: not a number (NaN) cannot be JSON"},
        {"return math.huge", "result: an infinite number cannot be JSON"},
        {"return { a = { 1, { f = print } } }",
            "result.a[2].f: a function cannot be JSON"},
        {"return coroutine.create(print)",
            "result: a value of this type cannot be JSON"},
        {"return { 1, x = 2 }",
            "result: the table mixes positions and names as keys"},
        {"return { [1] = 1, [3] = 3 }",
            "result: the list has a hole; write errand.null there"},
        {"return { [1.5] = 1 }", "result: keys must be texts, or the "
                                 "positions 1, 2, 3 ..."},
        {"return { ['a\\0b'] = 1 }",
            "result: a key is not UTF-8 text without NUL"},
        {"local t = errand.array(); t.x = 1; return t",
            "result: a list (errand.array) cannot have names as keys"},
        {"local t = {}; t.t = t; return t",
            "result: nested deeper than 100, or a table that holds itself"},
        {"local t = {}; for i = 1, 40 do t = { t, t } end return t",
            "the result is over 16 MiB"},
    };
    struct kit *k = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        kit_tool(k, name, "", rows[i].body);
    }
    kit_load(k);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        kit_expect(k, name, "{}", ER_TOOL_FAILED, rows[i].text);
    }
}

/* --------------------------------------------------------------- errors */

static void expect_failure(struct kit *k, const char *body,
    const char *message, const char *in_detail)
{
    kit_tool(k, "f", "", body);
    struct errand_error err = {0};
    if (!er_tools_find(k->tools, "f"))
        kit_load(k);
    /* the file changes below the registry: load it anew */
    er_tools_free(k->tools);
    k->tools = er_tools_new(k->loop, kit_worker(), 1, NULL, &err);
    kit_load(k);
    struct kept kept = kit_call(k, "f", "{}", 0);
    assert_string_equal(kept.text, message);
    assert_int_equal(kept.status, ER_TOOL_FAILED);
    if (!strstr(kept.detail, in_detail))
        fail_msg("'%s' is not in '%s'", in_detail, kept.detail);
    free(kept.text);
}

static void test_call_errors_are_short_for_the_model(void **state)
{
    struct kit *k = *state;
    expect_failure(k, "local x = nil\nreturn x.y",
        "attempt to index a nil value (local 'x')",
        "f.lua:7: attempt to index a nil value (local 'x')");
    expect_failure(k, "error('no such city')", "no such city",
        "f.lua:6: no such city");
    expect_failure(k, "error({ message = 'closed today' })", "closed today",
        "f.lua:6: closed today");
    expect_failure(k, "\nreturn nil, 'not found'", "not found", "");
    expect_failure(k,
        "error(setmetatable({}, { __index = { message = 'x' } }))",
        "an error was raised that is neither a text nor a table with a "
        "message",
        "f.lua:6: ");
    expect_failure(k, "error()",
        "an error was raised that is neither a text nor a table with a "
        "message",
        "f.lua:6: ");
    expect_failure(k, "assert(false, 'asserted')", "asserted", "f.lua:6: ");
    expect_failure(k,
        "local co = coroutine.wrap(function() error('inside') end)\nco()",
        "inside", "f.lua:6: inside");
    expect_failure(k, "local function f() return f() + 1 end f()",
        "out of memory: a tool may use 32 MiB", "f.lua: out of");
}

static void test_call_a_caught_error_is_the_tools_own_matter(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local ok, why = pcall(error, { code = 5 })\n"
        "local ok2, why2 = xpcall(function() error('x', 0) end, "
        "function(m) return m .. '!' end)\n"
        "local ok3, a, b = pcall(function(...) return ... end, 7, 8)\n"
        "return { ok = ok, code = why.code, ok2 = ok2, why2 = why2, "
        "ok3 = ok3, a = a, b = b }");
    kit_expect(k, "t", "{}", ER_TOOL_OK,
        "{\"a\":7,\"b\":8,\"code\":5,\"ok\":false,\"ok2\":false,"
        "\"ok3\":true,\"why2\":\"x!\"}");
}

static void test_call_coroutines_yield_through_pcall(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local co = coroutine.wrap(function()\n"
        "  local ok, v = pcall(function() local got = coroutine.yield(1) "
        "error('after ' .. got, 0) end)\n"
        "  coroutine.yield(v)\n"
        "  local ok2, w = xpcall(function() return coroutine.yield(2) end, "
        "print)\n"
        "  coroutine.yield(w)\n"
        "end)\n"
        "return { co(), co('x'), co(), co('w') }");
    kit_expect(k, "t", "{}", ER_TOOL_OK, "[1,\"after x\",2,\"w\"]");
}

/* ---------------------------------------------------------------- limits */

static void expect_timeout(struct kit *k, const char *body, bool killed)
{
    struct errand_error err = {0};
    kit_tool(k, "loop", "", body);
    er_tools_free(k->tools);
    struct er_log log = {.write = kit_log, .user = k};
    k->tools = er_tools_new(k->loop, kit_worker(), 1, &log, &err);
    kit_load(k);
    int64_t began = er_mono_ms();
    struct kept kept = kit_call(k, "loop", "{}", 200);
    assert_int_equal(kept.status, ER_TOOL_TIMEOUT);
    assert_true(kept.started);
    assert_true(er_mono_ms() - began >= 190);
    if (killed)
        assert_non_null(strstr(kept.detail, "killed at its deadline"));
    else if (!strstr(kept.detail, "loop.lua:"))
        fail_msg("%s: no place in '%s'", body, kept.detail);
    free(kept.text);
    /* and the next call is served */
    kit_tool(k, "next", "", "return 'fine'");
    err.code = 0;
    er_tools_load_dir(k->tools, k->dir, NULL, &err);
    kit_expect(k, "next", "{}", ER_TOOL_OK, "fine");
}

static void test_call_loops_stop_at_the_deadline(void **state)
{
    struct kit *k = *state;
    expect_timeout(k, "while true do end", false);
    expect_timeout(k, "while true do pcall(function() while true do end end)"
                      " end",
        false);
    expect_timeout(k,
        "while true do xpcall(function() while true do end end, function() "
        "while true do end end) end",
        false);
    expect_timeout(k,
        "while true do coroutine.resume(coroutine.create(function() "
        "while true do end end)) end",
        false);
    expect_timeout(k,
        "while true do pcall(coroutine.wrap(function() while true do end "
        "end)) end",
        false);
    expect_timeout(k,
        "local function again() local x <close> = setmetatable({}, { "
        "__close = function() while true do end end }) while true do end "
        "end while true do pcall(again) end",
        false);
    expect_timeout(k, "return setmetatable({}, { __index = function() "
                      "while true do end end }).x",
        false);
    expect_timeout(k,
        "local t = setmetatable({}, { __lt = function() return true end })"
        " local n = 0 while true do n = n + (t < t and 1 or 0) end",
        false);
}

static void test_call_a_pattern_that_never_ends_is_killed(void **state)
{
    expect_timeout(*state,
        "return (('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(30) .. "
        "'b'))",
        true);
    expect_timeout(*state,
        "return pcall(table.move, {}, 1, 1 << 40, 2)", true);
}

static void test_call_memory_is_contained(void **state)
{
    static const char *const bombs[] = {
        "local t = {} for i = 1, 1e9 do t[i] = {} end",
        "return ('x'):rep(1 << 40)",
        "local s = 'x' while true do s = s .. s end",
        "return table.concat(setmetatable({}, {}), 'x') .. "
        "('%99d'):rep(1 << 24)",
        "return select('#', table.unpack({}, 1, 900000), "
        "('x'):rep(1 << 25))",
        "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    };
    struct kit *k = *state;
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        kit_tool(k, name, "", bombs[i]);
    }
    kit_tool(k, "fine", "", "return 'fine'");
    kit_load(k);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        struct kept kept = kit_call(k, name, "{}", 10000);
        if (kept.status != ER_TOOL_FAILED)
            print_message("%zu: %d %s\n", i, (int)kept.status, kept.detail);
        assert_int_equal(kept.status, ER_TOOL_FAILED);
        free(kept.text);
        kit_expect(k, "fine", "{}", ER_TOOL_OK, "fine");
    }
}

static void test_call_only_listed_globals_are_there(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local names = {}\n"
        "for name, v in pairs(_G) do\n"
        "  if type(v) == 'table' and name ~= '_G' then\n"
        "    for field in pairs(v) do names[#names + 1] = name .. '.' .. "
        "field end\n"
        "  else names[#names + 1] = name end\n"
        "end\n"
        "table.sort(names)\n"
        "return table.concat(names, ' ')");
    kit_expect(k, "t", "{}", ER_TOOL_OK,
        "_G _VERSION assert coroutine.close coroutine.create "
        "coroutine.isyieldable coroutine.resume coroutine.running "
        "coroutine.status coroutine.wrap coroutine.yield errand.array "
        "errand.null error getmetatable ipairs math.abs math.acos math.asin "
        "math.atan math.ceil math.cos math.deg math.exp math.floor math.fmod "
        "math.huge math.log math.max math.maxinteger math.min "
        "math.mininteger math.modf math.pi math.rad math.random "
        "math.randomseed math.sin math.sqrt math.tan math.tointeger "
        "math.type math.ult next os.clock os.date os.difftime os.time pairs "
        "pcall print rawequal rawget rawlen rawset select setmetatable "
        "string.byte string.char string.find string.format string.gmatch "
        "string.gsub string.len string.lower string.match string.pack "
        "string.packsize string.rep string.reverse string.sub string.unpack "
        "string.upper table.concat table.insert table.move table.pack "
        "table.remove table.sort table.unpack tonumber tostring type "
        "utf8.char utf8.charpattern utf8.codepoint utf8.codes utf8.len "
        "utf8.offset xpcall");
}

static void test_call_what_is_forbidden_fails(void **state)
{
    static const char *const bodies[] = {
        "load('return 1')", "require('io')", "io.open('/etc/passwd')",
        "os.execute('true')", "os.getenv('HOME')", "debug.getregistry()",
        "collectgarbage()", "dofile('/etc/passwd')", "string.dump(print)",
        "setmetatable({}, { __gc = print })",
        "getmetatable('').__index = nil", "ctx.fs.read('/etc/passwd')"};
    struct kit *k = *state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        kit_tool(k, name, "", bodies[i]);
    }
    kit_load(k);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        struct kept kept = kit_call(k, name, "{}", 0);
        if (kept.status != ER_TOOL_FAILED)
            fail_msg("%s: %d %s", bodies[i], (int)kept.status, kept.text);
        free(kept.text);
    }
}

/* ------------------------------------------------------- state and ctx */

static void test_call_nothing_is_left_for_the_next_call(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local before = counter\ncounter = (counter or 0) + 1\n"
        "string.upper = nil\nreturn { before = before or 'none' }");
    for (int i = 0; i < 3; i++)
        kit_expect(k, "t", "{}", ER_TOOL_OK, "{\"before\":\"none\"}");
}

static void test_call_random_numbers_differ_from_call_to_call(void **state)
{
    struct kit *k = *state;
    char *seen[8];
    one_tool(k, "", "return math.random(0)");
    for (size_t i = 0; i < 8; i++) {
        struct kept kept = kit_call(k, "t", "{}", 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(kept.text, seen[j]);
        seen[i] = kept.text;
    }
    for (size_t i = 0; i < 8; i++)
        free(seen[i]);
}

static void test_call_a_state_that_was_stretched_is_fresh_again(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local t = {}\n"
        "for i = 1, args.n do t[i] = 'text ' .. i; _G['g' .. i] = { i } end\n"
        "local n = 0 for name in pairs(_G) do n = n + 1 end\n"
        "return { #t, n > args.n, g1 and g1[1] or 0 }");
    for (int i = 0; i < 3; i++) {
        kit_expect(k, "t", "{\"n\":50000}", ER_TOOL_OK, "[50000,true,1]");
        kit_expect(k, "t", "{\"n\":0}", ER_TOOL_OK, "[0,true,0]");
    }
}

static void test_call_ctx_tells_about_the_call(void **state)
{
    struct kit *k = *state;
    one_tool(k, "timeout_ms = 70000,",
        "local left = ctx.remaining_ms()\n"
        "return { key = ctx.idempotency_key, attempt = ctx.attempt, "
        "time = left > 1000 and left <= 70000 }");
    kit_expect(k, "t", "{}", ER_TOOL_OK,
        "{\"attempt\":1,\"key\":\"key-1\",\"time\":true}");
}

static void test_call_log_lines_reach_the_log(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "ctx.log('a line\\27[2J')\nctx.log('careful', 'warn')\n"
        "print('x', 1, nil)\nfor i = 1, 1000 do ctx.log(i) end");
    kit_expect(k, "t", "{}", ER_TOOL_OK, "null");
    const char *log = er_buf_str(&k->log);
    assert_non_null(strstr(log, "2 tool: a line\n"));
    assert_non_null(strstr(log, "1 tool: careful\n"));
    assert_non_null(strstr(log, "2 tool: x\t1\tnil\n"));
    assert_non_null(strstr(log, "2 tool: (more log lines were dropped)\n"));
    assert_null(strstr(log, "2 tool: 900\n"));
    assert_null(strchr(log, '\x1b'));
}

/* What was described is what is run, whatever becomes of the file. */
static void test_call_runs_what_was_loaded(void **state)
{
    struct kit *k = *state;
    one_tool(k, "", "return 'old'");
    kit_expect(k, "t", "{}", ER_TOOL_OK, "old");
    kit_tool(k, "t", "effect = 'pure',", "return 'new'");
    kit_expect(k, "t", "{}", ER_TOOL_OK, "old");
    unlink(kit_path(k, "t.lua"));
    kit_expect(k, "t", "{}", ER_TOOL_OK, "old");
}

/* A worker keeps the last 64 files; what fell out is sent again. */
static void test_call_more_tools_than_a_worker_keeps(void **state)
{
    enum { TOOLS = 150 };
    struct kit *k = *state;
    char name[32], body[32];
    for (int i = 0; i < TOOLS; i++) {
        snprintf(name, sizeof name, "t%d", i);
        snprintf(body, sizeof body, "return %d", i);
        kit_tool(k, name, "", body);
    }
    kit_load(k);
    for (int i = 0; i < 3 * TOOLS; i++) {
        int n = i * 7 % TOOLS;
        snprintf(name, sizeof name, "t%d", n);
        snprintf(body, sizeof body, "%d", n);
        kit_expect(k, name, "{}", ER_TOOL_OK, body);
    }
}

static void test_call_large_results_arrive_whole(void **state)
{
    struct kit *k = *state;
    one_tool(k, "",
        "local s = ('0123456789'):rep(args.n)\n"
        "return args.twice and { s, s } or s");
    struct kept kept = kit_call(k, "t", "{\"n\":1000000}", 0);
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_int_equal(kept.len, 10000000);
    assert_memory_equal(kept.text + 9999990, "0123456789", 10);
    free(kept.text);
    kit_expect(k, "t", "{\"n\":900000,\"twice\":true}", ER_TOOL_FAILED,
        "the result is over 16 MiB");
    kit_expect(k, "t", "{\"n\":1}", ER_TOOL_OK, "0123456789");
}

static void test_call_large_arguments_arrive_whole(void **state)
{
    struct kit *k = *state;
    struct er_buf json;
    one_tool(k, "", "return #args.v");
    er_buf_init(&json, 1 << 25);
    er_buf_adds(&json, "{\"v\":\"");
    while (json.len < 8000006)
        er_buf_adds(&json, "0123456789");
    er_buf_adds(&json, "\"}");
    char length[32];
    snprintf(length, sizeof length, "%zu", json.len - strlen("{'v':''}"));
    kit_expect(k, "t", json.data, ER_TOOL_OK, length);
    er_buf_release(&json);
}

static void test_call_arguments_over_the_limit_are_refused(void **state)
{
    struct kit *k = *state;
    struct errand_error err = {0};
    one_tool(k, "", "return 1");
    char *text = malloc((size_t)17 << 20);
    assert_non_null(text);
    memset(text, 'x', (size_t)17 << 20);
    json_t *args = json_object();
    json_object_set_new(
        args, "v", json_stringn(text, (size_t)17 << 20));
    free(text);
    struct er_tool_request req = {
        .tool = er_tools_find(k->tools, "t"), .arguments = args};
    int rc = er_tools_call(k->tools, &req, kit_keep, NULL, NULL, &err);
    assert_int_equal(rc, ERRAND_TOO_LARGE);
    json_decref(args);
}

/* ---------------------------------------------------------------- files */

static void test_call_fs_reads_what_is_granted(void **state)
{
    struct kit *k = *state;
    char extra[256];
    assert_int_equal(mkdir(kit_path(k, "docs"), 0700), 0);
    assert_int_equal(mkdir(kit_path(k, "docs2"), 0700), 0);
    kit_file(k, "docs/a.txt", "alpha");
    kit_file(k, "docs2/b.txt", "beta");
    kit_file(k, "c.txt", "gamma");
    assert_int_equal(
        symlink("../c.txt", kit_path(k, "docs/out.txt")), 0);
    assert_int_equal(symlink("a.txt", kit_path(k, "docs/in.txt")), 0);
    assert_int_equal(mkfifo(kit_path(k, "docs/pipe"), 0600), 0);
    snprintf(extra, sizeof extra, "permissions = { read = { '%s/docs' } },",
        k->dir);
    one_tool(k, extra,
        "local ok, v, size = pcall(ctx.fs[args.op], args.path, args.at, "
        "args.n)\n"
        "if not ok then return (v:gsub('^.-:%d+: ', '')) end\n"
        "return { v or errand.null, size }");
    const char *const rows[][4] = {
        {"read", "docs/a.txt", "", "[\"alpha\",5]"},
        {"read", "docs/../docs/in.txt", "", "[\"alpha\",5]"},
        {"read", "docs/a.txt", ",\"at\":1,\"n\":3", "[\"lph\",5]"},
        {"read", "docs/a.txt", ",\"at\":9", "[\"\",5]"},
        {"read", "docs/out.txt", "", "outside"},
        {"read", "docs2/b.txt", "", "outside"},
        {"read", "c.txt", "", "outside"},
        {"read", "docs/../c.txt", "", "outside"},
        {"read", "nowhere/x", "", "outside"},
        {"read", "docs/none", "", "No such file"},
        {"read", "docs/none/../../c.txt", "", "outside"},
        {"read", "docs", "", "it is a folder"},
        {"read", "docs/pipe", "", "it is not a file"},
        {"stat", "docs/none", "", "[null]"},
        {"stat", "docs/a.txt", "", "\"size\":5,\"type\":\"file\""},
        {"stat", "c.txt", "", "outside"},
        {"list", "docs", "",
            "{\"name\":\"a.txt\",\"size\":5,\"type\":\"file\"},{\"name\":"
            "\"in.txt\",\"size\":5,\"type\":\"link\"},"},
        {"list", "", "", "outside"},
        {"list", "docs/a.txt", "", "Not a directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct er_buf args;
        er_buf_init(&args, 4000);
        er_buf_addf(&args, "{\"op\":\"%s\",\"path\":\"%s/%s\"%s}",
            rows[i][0], k->dir, rows[i][1], rows[i][2]);
        struct kept kept = kit_call(k, "t", args.data, 0);
        if (!strstr(kept.text, rows[i][3]))
            fail_msg("%s: %s", args.data, kept.text);
        assert_int_equal(kept.status, ER_TOOL_OK);
        free(kept.text);
        er_buf_release(&args);
    }
    kit_expect(k, "t", "{\"op\":\"read\",\"path\":\"/etc/passwd\"}",
        ER_TOOL_OK,
        "'/etc/passwd' is outside of the folders this tool may read");
}

static void test_call_fs_without_permission_says_which(void **state)
{
    struct kit *k = *state;
    one_tool(k, "", "return ctx.fs.read('x')");
    kit_expect(k, "t", "{}", ER_TOOL_FAILED,
        "ctx.fs is not granted; declare permissions = { read = { \".\" } }");
}

static void test_call_failed_reads_leave_nothing_open(void **state)
{
    struct kit *k = *state;
    char extra[256];
    snprintf(
        extra, sizeof extra, "permissions = { read = { '%s' } },", k->dir);
    one_tool(k, extra,
        "for i = 1, 500 do pcall(ctx.fs.read, args.dir) pcall(ctx.fs.list, "
        "args.dir .. '/t.lua') end\nreturn #ctx.fs.list(args.dir)");
    char args[256];
    snprintf(args, sizeof args, "{\"dir\":\"%s\"}", k->dir);
    kit_expect(k, "t", args, ER_TOOL_OK, "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ------------------------------------------------------------- cancelling */

static er_tool_call *start_at_work(struct kit *k, const char *body,
    int64_t timeout_ms, struct kept *kept)
{
    kit_tool(k, "t", "", body);
    kit_load(k);
    er_tool_call *call = kit_start(k, "t", "{}", timeout_ms, kept);
    int64_t until = er_mono_ms() + 60000;
    while (!strstr(er_buf_str(&k->log), "at work") && er_mono_ms() < until)
        er_loop_run(k->loop, 5);
    return call;
}

static const char works_until_cancelled[] =
    "local n = 0\n"
    "assert(ctx.cancelled() == false)\n"
    "ctx.log('at work')\n"
    "while not ctx.cancelled() do n = n + 1 end\n"
    "return 'tidied up'";

static void test_call_a_tool_sees_that_it_was_cancelled(void **state)
{
    struct kit *k = *state;
    struct kept kept = {0};
    er_tools_cancel(start_at_work(k, works_until_cancelled, 0, &kept));
    kit_wait(k, &kept);
    assert_string_equal(kept.text, "tidied up");
    assert_int_equal(kept.status, ER_TOOL_OK);
    free(kept.text);
}

/* It has a little time behind its deadline, once it looks. */
static void test_call_a_tool_sees_its_deadline(void **state)
{
    struct kit *k = *state;
    struct kept kept = {0};
    start_at_work(k, works_until_cancelled, 200, &kept);
    kit_wait(k, &kept);
    assert_string_equal(kept.text, "tidied up");
    assert_int_equal(kept.status, ER_TOOL_OK);
    assert_true(kept.took_ms >= 200);
    free(kept.text);
}

static void test_call_a_tool_that_looks_and_goes_on_is_killed(void **state)
{
    struct kit *k = *state;
    struct kept kept = {0}, late = {0};
    er_tools_cancel(start_at_work(k,
        "ctx.cancelled() ctx.log('at work') while true do end", 0, &kept));
    kit_wait(k, &kept);
    assert_int_equal(kept.status, ER_TOOL_CANCELLED);
    free(kept.text);
    kit_start(k, "t", "{}", 100, &late);
    kit_wait(k, &late);
    assert_int_equal(late.status, ER_TOOL_TIMEOUT);
    free(late.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_call_values_survive_the_round_trip),
        TEST(test_call_a_text_result_is_the_text),
        TEST(test_call_types_in_lua),
        TEST(test_call_tables_of_the_tools_own),
        TEST(test_call_results_that_are_no_json_are_failures),
        TEST(test_call_errors_are_short_for_the_model),
        TEST(test_call_a_caught_error_is_the_tools_own_matter),
        TEST(test_call_coroutines_yield_through_pcall),
        TEST(test_call_loops_stop_at_the_deadline),
        TEST(test_call_a_pattern_that_never_ends_is_killed),
        TEST(test_call_memory_is_contained),
        TEST(test_call_only_listed_globals_are_there),
        TEST(test_call_what_is_forbidden_fails),
        TEST(test_call_nothing_is_left_for_the_next_call),
        TEST(test_call_random_numbers_differ_from_call_to_call),
        TEST(test_call_a_state_that_was_stretched_is_fresh_again),
        TEST(test_call_ctx_tells_about_the_call),
        TEST(test_call_log_lines_reach_the_log),
        TEST(test_call_runs_what_was_loaded),
        TEST(test_call_more_tools_than_a_worker_keeps),
        TEST(test_call_large_results_arrive_whole),
        TEST(test_call_large_arguments_arrive_whole),
        TEST(test_call_arguments_over_the_limit_are_refused),
        TEST(test_call_fs_reads_what_is_granted),
        TEST(test_call_fs_without_permission_says_which),
        TEST(test_call_failed_reads_leave_nothing_open),
        TEST(test_call_a_tool_sees_that_it_was_cancelled),
        TEST(test_call_a_tool_sees_its_deadline),
        TEST(test_call_a_tool_that_looks_and_goes_on_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
