/* Grammars by hand: GBNF, states, forced bytes, masks; and random schemas
 * against the validator, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/grammar.h"
#include "tool/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static er_grammar *of_schema(
    const char *schema, const struct er_grammar_options *opt)
{
    struct errand_error err = {0};
    json_t *s = er_json_parse(schema, strlen(schema), ER_JSON_STRICT, &err);
    assert_non_null(s);
    er_grammar *g = er_grammar_schema(s, opt, &err);
    if (!g)
        fail_msg("%s: %s", schema, err.msg);
    json_decref(s);
    return g;
}

static er_grammar *of_gbnf(const char *text)
{
    struct errand_error err = {0};
    er_grammar *g = er_grammar_gbnf(text, strlen(text), &err);
    if (!g)
        fail_msg("%s: %s", text, err.msg);
    return g;
}

static bool whole(const er_grammar *g, const char *text)
{
    er_gstate *s = er_gstate_new(g);
    size_t i = 0;
    while (text[i] && er_gstate_advance(s, (uint8_t)text[i]))
        i++;
    bool ok = !text[i] && er_gstate_complete(s);
    er_gstate_free(s);
    return ok;
}

/* Texts that must be taken whole, NULL, texts that must not, NULL. */
static void check(er_grammar *g, const char *const *texts)
{
    bool want = true;
    for (size_t i = 0; texts[i] || want; i++) {
        if (!texts[i])
            want = false;
        else if (whole(g, texts[i]) != want)
            fail_msg("%s is %s", texts[i], want ? "refused" : "taken");
    }
    er_grammar_free(g);
}

#define CHECK(g, ...) check(g, (const char *const[]){__VA_ARGS__, NULL})
#define NO NULL

static void test_grammar_reads_gbnf(void **state)
{
    (void)state;
    CHECK(of_gbnf("root ::= \"a\" b* # note\nb ::= [b-d\\x41] | \"\\u00e9\""),
        "a", "abcd", "aAA", "a\xC3\xA9", NO, "", "b", "ae", "a\xC3");
    CHECK(of_gbnf("root ::= (\"x\" |\n \"yy\"){2,3} .?"), "xx", "xyyx",
        "yyyyyyz", "xx\xF0\x9F\xA6\x99", NO, "x", "xxxyy", "xx\xF0");
    CHECK(of_gbnf("root ::= e\ne ::= t (\"+\" t)*\nt ::= [0-9]+ | "
                  "\"(\" e \")\""),
        "1", "1+2", "(1+(22))+3", NO, "(", "1+", "(1");
    CHECK(of_gbnf("root ::= a? \"b\"\na ::= \"\""), "b", NO, "", "bb");
    CHECK(of_gbnf("root ::= [^\"\\\\]{1,2} \"\\\"\""), "x\"", "xy\"", NO,
        "\"", "xyz\"");
}

static void test_grammar_says_what_is_wrong_with_gbnf(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {{"", "no rule named root"},
        {"root = x", "line 1: expected ::="},
        {"root ::= x\n", "line 1: a name is used that no rule defines"},
        {"\nroot ::= \"x", "line 2: a text is not closed"},
        {"root ::= [a", "a class is not closed"},
        {"root ::= (\"a\"", "bracket is not closed"},
        {"root ::= \"a\")", "was not opened"},
        {"root ::= root \"a\" | \"b\"", "begins with itself"},
        {"root ::= a\na ::= b? a \"x\"\nb ::= \"b\"", "begins with itself"},
        {"root ::= \"a\" root", "its root never ends"},
        {"root ::= \"a\"{3,2}", "a count is"},
        {"root ::= \"a\"\nroot ::= \"b\"", "defined twice"},
        {"root ::= \"\\q\"", "an escape is not known"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct errand_error err = {0};
        er_grammar *g =
            er_grammar_gbnf(rows[i].text, strlen(rows[i].text), &err);
        if (g || !strstr(err.msg, rows[i].want))
            fail_msg("%s gives '%s'", rows[i].text, err.msg);
    }
}

static void test_grammar_strings(void **state)
{
    (void)state;
    CHECK(of_schema("{\"type\":\"string\"}", NULL), "\"\"", "\"a\\n\\u00e9\"",
        "\"\\ud83e\\udd99\"", "\"\xF0\x9F\xA6\x99\"", NO, "\"\\ud83e\"",
        "\"\\udd99\"", "\"\\x\"", "\"\n\"", "\"\xFF\"", "\"\\u0000\"");
    CHECK(of_schema("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
              NULL), "\"ab\"", "\"\xC3\xA9\\n\\ud83e\\udd99\"", NO, "\"a\"",
        "\"abcd\"");
    CHECK(of_schema("{\"type\":\"string\",\"pattern\":\"^[a-c]+\\\\d?$\","
                    "\"maxLength\":3}", NULL), "\"a\"", "\"abc\"", "\"ab1\"",
        "\"\\u0061b\"", NO, "\"\"", "\"abc1\"", "\"d\"", "\"\\u0064\"");
    CHECK(of_schema("{\"type\":\"string\",\"pattern\":\"b|^x\"}", NULL),
        "\"abc\"", "\"xyz\"", NO, "\"yx\"");
    CHECK(of_schema("{\"type\":\"string\",\"pattern\":\"^(?!no)(?=.*\\\\d)"
                    "[a-z0-9]{3,}$\"}", NULL), "\"ab1\"", NO, "\"abc\"",
        "\"no1\"", "\"a1\"");
    CHECK(of_schema("{\"enum\":[\"h\\u00e9\",1.0,null,{\"a\":[1,2]}]}", NULL),
        "\"h\xC3\xA9\"", "\"h\\u00e9\"", "1", "1.0", "null",
        "{\"a\": [1, 2]}", NO, "\"h\"", "2", "{}");
}

static void test_grammar_numbers(void **state)
{
    (void)state;
    CHECK(of_schema("{\"type\":\"number\",\"minimum\":0.25,\"maximum\":10.5}",
              NULL), "0.25", "0.3", "1", "10.5", "10.50", "9.999", NO,
        "0.2", "10.51", "10.500001", "11", "-1", "1e1", "00.3");
    CHECK(of_schema("{\"type\":\"number\",\"exclusiveMinimum\":-1.5,"
                    "\"exclusiveMaximum\":0}", NULL), "-1.49", "-1",
        "-0.001", NO, "-1.5", "-1.50", "0", "-2", "1");
    CHECK(of_schema("{\"type\":\"number\",\"multipleOf\":0.05}", NULL), "0",
        "1", "0.15", "-2.50", "12.05", NO, "0.01", "0.151", "1e2");
    CHECK(of_schema("{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":-20,"
                    "\"maximum\":20}", NULL), "-14", "0", "14", NO, "1",
        "21", "-21", "7.0");
}

static void test_grammar_objects(void **state)
{
    static const struct er_grammar_options closed = {
        .compact = true, .closed = true};
    (void)state;
    CHECK(of_schema("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":"
                    "\"integer\"},\"b\":{}},\"required\":[\"b\"]}", &closed),
        "{\"a\": 1, \"b\": null}", "{\"b\": [1, {}]}", NO, "{\"a\": 1}",
        "{\"b\":1}", "{\"b\": 1, \"a\": 1}", "{\"b\": 1, \"c\": 1}",
        "{\"a\": 1, }");
    CHECK(of_schema("{\"type\":\"object\",\"minProperties\":2,"
                    "\"maxProperties\":3,\"properties\":{\"a\":{},\"b\":{}},"
                    "\"additionalProperties\":{\"type\":\"null\"}}", NULL),
        "{\"a\":1,\"b\":2}", "{\"b\":1,\"x\":null}",
        "{\"x\":null,\"y\":null,\"z\":null}", NO, "{}", "{\"a\":1}",
        "{\"a\":1,\"b\":1,\"x\":null,\"y\":null}", "{\"x\":1,\"y\":null}");
    CHECK(of_schema("{\"type\":\"object\",\"patternProperties\":{\"^n\":"
                    "{\"type\":\"integer\"},\"x$\":{\"minimum\":5}},"
                    "\"additionalProperties\":false}", NULL), "{}",
        "{\"n\":1}", "{\"nx\":5}", "{\"ax\":\"s\"}", NO, "{\"nx\":4}",
        "{\"n\":\"s\"}", "{\"a\":1}");
    CHECK(of_schema("{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"type\":"
                    "\"object\",\"properties\":{\"c\":{\"type\":\"array\","
                    "\"items\":{\"$ref\":\"#/$defs/t\"}}},"
                    "\"additionalProperties\":false}}}", NULL), "{}",
        "{\"c\":[{},{\"c\":[]}]}", NO, "{\"c\":[1]}", "{\"c\":[}");
    CHECK(of_schema("{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}},"
                    "\"dependentRequired\":{\"a\":[\"b\"]},"
                    "\"not\":{\"required\":[\"z\"]}}", NULL),
        "{\"b\":1}", "{\"a\":1,\"b\":1}", "{\"q\":1}", NO, "{\"a\":1}",
        "{\"z\":1}");
}

static void test_grammar_says_what_it_leaves_out(void **state)
{
    static const struct {
        const char *schema, *keyword;
    } rows[] = {{"{\"type\":\"array\",\"uniqueItems\":true}", "uniqueItems"},
        {"{\"contains\":{\"const\":1}}", "contains"},
        {"{\"type\":\"string\",\"pattern\":\"(a)\\\\1\"}", "pattern"},
        {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "oneOf"},
        {"{\"$ref\":\"http://x/y\"}", "$ref"},
        {"{\"not\":{\"properties\":{\"a\":{}}}}", "not"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        er_grammar *g = of_schema(rows[i].schema, NULL);
        assert_non_null(er_grammar_unenforced(g)[0]);
        assert_string_equal(er_grammar_unenforced(g)[0], rows[i].keyword);
        er_grammar_free(g);
    }
    struct errand_error err = {0};
    json_t *bad = json_pack("{s:s}", "type", "strin");
    assert_null(er_grammar_schema(bad, NULL, &err));
    assert_int_equal(err.code, ERRAND_SCHEMA);
    assert_non_null(strstr(err.msg, "strin"));
    json_decref(bad);
    bad = json_pack("{s:s,s:i,s:i}", "type", "integer", "minimum", 5,
        "maximum", 4);
    assert_null(er_grammar_schema(bad, NULL, &err));
    assert_non_null(strstr(err.msg, "no value can fit"));
    json_decref(bad);
}

static void test_grammar_forces_what_has_no_choice(void **state)
{
    static const struct er_grammar_options compact = {.compact = true};
    struct er_buf b;
    (void)state;
    er_grammar *g = of_schema("{\"type\":\"object\",\"properties\":{\"name\":"
        "{\"const\":\"get\"},\"n\":{\"type\":\"integer\"}},\"required\":"
        "[\"name\",\"n\"],\"additionalProperties\":false}", &compact);
    er_gstate *s = er_gstate_new(g);
    er_buf_init(&b, 100);
    er_gstate_forced(s, &b, 100);
    assert_string_equal(er_buf_str(&b), "{\"name\": \"get\", \"n\": ");
    for (size_t i = 0; i < b.len; i++)
        assert_true(er_gstate_advance(s, (uint8_t)b.data[i]));
    er_buf_reset(&b);
    assert_int_equal(er_gstate_forced(s, &b, 100), 0);
    er_gstate *c = er_gstate_clone(s);
    assert_true(er_gstate_advance(c, '7'));
    assert_int_equal(er_gstate_takes(c, "8}x", 3), 2);
    assert_true(er_gstate_advance(c, '}'));
    assert_true(er_gstate_complete(c));
    assert_false(er_gstate_complete(s));
    assert_false(er_gstate_advance(s, '}'));
    er_buf_release(&b);
    er_gstate_free(c);
    er_gstate_free(s);
    er_grammar_free(g);
}

/* --- masks */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

enum { PIECES = 3000 };

static char piece_bytes[PIECES][12];
static const char *pieces[PIECES];
static size_t piece_lens[PIECES];

static void make_pieces(void)
{
    static const char *const parts[] = {"a", "b", "name", "x1", "0", "1",
        "25", "\"", "\\", "u", "00e9", "{", "}", "[", "]", ", ", ": ", ",",
        ":", "\n", " ", "-", ".", "e", "true", "null", "\xC3", "\xA9",
        "\xC3\xA9", "\xF0\x9F", "\xA6\x99", "\x01", "t", "f", "\xFF"};
    uint32_t seed = 7;
    for (size_t i = 0; i < PIECES; i++) {
        size_t n = i % 97 ? 1 + next(&seed) % 3 : 0;
        for (size_t k = 0; k < n; k++) {
            const char *p =
                parts[next(&seed) % (sizeof parts / sizeof parts[0])];
            if (piece_lens[i] + strlen(p) > 12)
                break;
            memcpy(piece_bytes[i] + piece_lens[i], p, strlen(p));
            piece_lens[i] += strlen(p);
        }
        pieces[i] = piece_bytes[i];
    }
}

static void check_mask(er_gstate *s, const er_gvocab *v, const char *where)
{
    uint64_t bits[(PIECES + 63) / 64];
    assert_true(er_gstate_mask(s, v, bits));
    for (size_t i = 0; i < PIECES; i++) {
        bool want = piece_lens[i] &&
            er_gstate_takes(s, pieces[i], piece_lens[i]) == piece_lens[i];
        if ((bits[i / 64] >> i % 64 & 1) != want)
            fail_msg("behind %s: '%.*s' is %s", where, (int)piece_lens[i],
                pieces[i], want ? "left out" : "let through");
    }
}

static void test_grammar_masks_what_it_takes(void **state)
{
    static const struct {
        const char *schema, *text;
    } rows[] = {{"{}", "{\"a\": [1, -2.5e3, \"x\\u00e9y\", null]}"},
        {"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","
         "\"maxLength\":4},\"x1\":{\"type\":\"string\",\"pattern\":"
         "\"^[ab]+$\"}}}", "{\"name\": \"ab\xC3\xA9\", \"x1\": \"aab\"}"},
        {"{\"anyOf\":[{\"type\":\"string\",\"minLength\":3},{\"enum\":["
         "\"name\",\"na\"]}]}", "\"nam"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":1,"
         "\"maximum\":125},\"maxItems\":2}", "[125, 25]"},
        {"{\"type\":\"string\",\"pattern\":\"[0-9]{2}-a\"}", "\"a-25-x25-a"},
        {"{\"type\":\"string\",\"pattern\":\"^[a-z0-9 ]*$\",\"minLength\":3,"
         "\"maxLength\":7}", "\"ab x1e"},
        {"{\"type\":\"string\",\"maxLength\":40}",
            "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xC3\xA9"},
        {"{\"type\":\"string\",\"pattern\":\"^.{2,5}$\"}",
            "\"\xF0\x9F\xA6\x99\xC3"},
        {"{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z]+$\"},"
         "\"properties\":{\"name\":{\"const\":\"e\"},\"na\":{}}}",
            "{\"nam\": [\"\\u00e9\\\"\"]}"},
        {"{\"type\":\"string\",\"not\":{\"enum\":[\"name\",\"b\"]}}",
            "\"nam"}};
    (void)state;
    make_pieces();
    er_gvocab *v = er_gvocab_new(pieces, piece_lens, PIECES);
    assert_non_null(v);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        er_grammar *g = of_schema(rows[i].schema, NULL);
        er_gstate *s = er_gstate_new(g);
        check_mask(s, v, "");
        for (const char *c = rows[i].text; *c; c++) {
            assert_true(er_gstate_advance(s, (uint8_t)*c));
            check_mask(s, v, rows[i].text);
        }
        er_gstate_free(s);
        er_grammar_free(g);
    }
    er_gvocab_free(v);
}

/* --- random schemas */

static json_t *random_schema(uint32_t *seed, unsigned depth);

static json_t *random_string_schema(uint32_t *seed)
{
    static const char *const patterns[] = {"^a+$", "b", "^[a-c]{2}",
        "^(x|yz)*$"};
    json_t *s = json_pack("{s:s}", "type", "string");
    if (next(seed) % 3 == 0)
        json_object_set_new(s, "minLength", json_integer(next(seed) % 3));
    if (next(seed) % 3 == 0)
        json_object_set_new(s, "maxLength", json_integer(2 + next(seed) % 3));
    if (next(seed) % 4 == 0)
        json_object_set_new(
            s, "pattern", json_string(patterns[next(seed) % 4]));
    return s;
}

static json_t *random_number_schema(uint32_t *seed)
{
    bool whole = next(seed) % 2;
    json_t *s = json_pack("{s:s}", "type", whole ? "integer" : "number");
    int low = (int)(next(seed) % 200) - 100;
    if (next(seed) % 2)
        json_object_set_new(s, next(seed) % 2 ? "minimum"
                : "exclusiveMinimum", json_real(low / 4.0));
    if (next(seed) % 2)
        json_object_set_new(s, next(seed) % 2 ? "maximum"
                : "exclusiveMaximum",
            json_real(low / 4.0 + next(seed) % 120));
    if (next(seed) % 5 == 0)
        json_object_set_new(s, "multipleOf", json_integer(1 + next(seed) % 5));
    return s;
}

static json_t *random_array_schema(uint32_t *seed, unsigned depth)
{
    json_t *s = json_pack("{s:s}", "type", "array");
    if (next(seed) % 4)
        json_object_set_new(s, "items", random_schema(seed, depth + 1));
    if (next(seed) % 4 == 0)
        json_object_set_new(s, "prefixItems",
            json_pack("[o,o]", random_schema(seed, depth + 1),
                random_schema(seed, depth + 1)));
    if (next(seed) % 3 == 0)
        json_object_set_new(s, "minItems", json_integer(next(seed) % 3));
    if (next(seed) % 3 == 0)
        json_object_set_new(s, "maxItems", json_integer(1 + next(seed) % 3));
    return s;
}

static json_t *random_object_schema(uint32_t *seed, unsigned depth)
{
    static const char *const names[] = {"a", "b", "cc", "d"};
    json_t *s = json_pack("{s:s}", "type", "object");
    json_t *props = json_object(), *required = json_array();
    for (size_t i = 0; i < 4; i++) {
        if (next(seed) % 2)
            json_object_set_new(
                props, names[i], random_schema(seed, depth + 1));
        if (next(seed) % 4 == 0)
            json_array_append_new(required, json_string(names[i]));
    }
    json_object_set_new(s, "properties", props);
    json_object_set_new(s, "required", required);
    if (next(seed) % 2)
        json_object_set_new(s, "additionalProperties", next(seed) % 2
                ? json_false() : random_schema(seed, depth + 1));
    if (next(seed) % 5 == 0)
        json_object_set_new(s, "patternProperties",
            json_pack("{s:o}", "^c", random_schema(seed, depth + 1)));
    if (next(seed) % 6 == 0)
        json_object_set_new(
            s, "maxProperties", json_integer(1 + next(seed) % 3));
    return s;
}

static json_t *random_schema(uint32_t *seed, unsigned depth)
{
    switch (next(seed) % (depth > 2 ? 4 : 9)) {
    case 0:
        return random_string_schema(seed);
    case 1:
        return random_number_schema(seed);
    case 2:
        return json_pack("{s:s}", "type", next(seed) % 2 ? "boolean" : "null");
    case 3:
        return json_pack("{s:[s,i,b,n]}", "enum", "aa", 3, 1);
    case 4:
        return random_array_schema(seed, depth);
    case 5:
    case 6:
        return random_object_schema(seed, depth);
    case 7:
        return json_pack("{s:[o,o]}", "anyOf",
            random_schema(seed, depth + 1), random_schema(seed, depth + 1));
    default:
        return json_pack("{s:[o,o]}", next(seed) % 3 ? "allOf" : "oneOf",
            random_schema(seed, depth + 1), random_schema(seed, depth + 1));
    }
}

/* Any value, small, of the stuff that random schemas ask for. */
static json_t *random_value(uint32_t *seed, unsigned depth)
{
    static const char *const texts[] = {"", "a", "aa", "ab", "xyz", "cc",
        "abcd"};
    static const char *const names[] = {"a", "b", "cc", "d", "e"};
    json_t *v;
    switch (next(seed) % (depth > 2 ? 5 : 8)) {
    case 0:
        return json_string(texts[next(seed) % 7]);
    case 1:
        return json_integer((int)(next(seed) % 60) - 30);
    case 2:
        return json_real(((int)(next(seed) % 200) - 100) / 8.0 + 0.0625);
    case 3:
        return json_boolean(next(seed) % 2);
    case 4:
        return json_null();
    case 5:
        v = json_array();
        for (size_t n = next(seed) % 4; n > 0; n--)
            json_array_append_new(v, random_value(seed, depth + 1));
        return v;
    default:
        v = json_object();
        for (size_t i = 0; i < 5; i++)
            if (next(seed) % 2)
                json_object_set_new(
                    v, names[i], random_value(seed, depth + 1));
        return v;
    }
}

struct tally {
    size_t schemas, none, enforced, valid, invalid, walked, unfinished;
};

/* The same value, keys in another order. New. */
static json_t *shuffled(const json_t *v, uint32_t *seed, size_t *keys)
{
    const char *key, *names[8];
    json_t *item, *out;
    size_t i, n = 0;
    if (json_is_array(v)) {
        out = json_array();
        json_array_foreach(v, i, item)
            json_array_append_new(out, shuffled(item, seed, keys));
        return out;
    }
    if (!json_is_object(v))
        return json_deep_copy(v);
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
        names[n++] = key;
    *keys += n;
    out = json_object();
    for (; n > 0; n--) {
        size_t pick = next(seed) % n;
        json_object_set_new(out, names[pick],
            shuffled(json_object_get(v, names[pick]), seed, keys));
        names[pick] = names[n - 1];
    }
    return out;
}

/* Taken in some order of its keys? Not asked of values with many. */
static bool whole_somehow(const er_grammar *g, const json_t *v)
{
    uint32_t seed = 1;
    bool got = false;
    for (size_t i = 0; i < 400 && !got; i++) {
        size_t keys = 0;
        json_t *other = shuffled(v, &seed, &keys);
        char *text = er_json_text(other);
        got = keys > 5 || whole(g, text);
        free(text);
        json_decref(other);
    }
    return got;
}

static void hold_value(const er_grammar *g, const er_schema *s,
    const json_t *v, bool enforced, struct tally *t)
{
    char *text = er_json_text(v);
    bool fits = er_schema_check(s, v, NULL, 0);
    bool got = whole(g, text);
    if (fits && !got && !whole_somehow(g, v))
        fail_msg("seed %zu: %s fits and is refused", t->schemas, text);
    if (!fits && enforced && got)
        fail_msg("seed %zu: %s does not fit and is taken", t->schemas, text);
    t->valid += fits;
    t->invalid += !fits;
    free(text);
}

/* A text along the grammar, byte by byte at random: it must be valid. */
static void walk(const er_grammar *g, const er_schema *s, bool enforced,
    uint32_t *seed, struct tally *t)
{
    static const char bytes[] = "\"\"}]{[,:-01259.aabcxyzd en tf\\ulrs";
    struct errand_error err = {0};
    struct er_buf b;
    er_gstate *at = er_gstate_new(g);
    er_buf_init(&b, 4096);
    while (b.len < 300) {
        size_t from = next(seed) % (sizeof bytes - 1), i = 0;
        if (er_gstate_complete(at) && (b.len > 40 || next(seed) % 3 == 0))
            break;
        while (i < sizeof bytes - 1 &&
               !er_gstate_advance(
                   at, (uint8_t)bytes[(from + i) % (sizeof bytes - 1)]))
            i++;
        if (i == sizeof bytes - 1)
            break;
        er_buf_add(&b, &bytes[(from + i) % (sizeof bytes - 1)], 1);
    }
    if (er_gstate_complete(at)) {
        json_t *v = er_json_parse(er_buf_str(&b), b.len, ER_JSON_LENIENT, &err);
        if (!v)
            fail_msg("seed %zu: %s is no JSON", t->schemas, er_buf_str(&b));
        if (enforced && !er_schema_check(s, v, NULL, 0))
            fail_msg("seed %zu: %s is written and does not fit", t->schemas,
                er_buf_str(&b));
        t->walked++;
        json_decref(v);
    } else {
        t->unfinished++;
    }
    er_buf_release(&b);
    er_gstate_free(at);
}

static void hold_schema(uint32_t seed, struct tally *t)
{
    static const struct er_grammar_options small = {
        .max_string = 5, .max_items = 3};
    struct errand_error err = {0};
    json_t *schema = random_schema(&seed, 0);
    er_schema *s =
        er_schema_compile(schema, ER_DRAFT_2020_12, 0, NULL, &err);
    er_grammar *g = er_grammar_schema(schema, NULL, &err);
    assert_non_null(s);
    t->schemas++;
    t->none += !g;
    bool enforced = g && !er_grammar_unenforced(g)[0];
    t->enforced += enforced;
    for (size_t i = 0; i < 25; i++) {
        json_t *v = random_value(&seed, 0);
        if (g)
            hold_value(g, s, v, enforced, t);
        else if (er_schema_check(s, v, NULL, 0))
            fail_msg("seed %zu: a value fits and there is no grammar: %s",
                t->schemas, err.msg);
        json_decref(v);
    }
    er_grammar_free(g);
    g = er_grammar_schema(schema, &small, &err);
    for (size_t i = 0; g && i < 3; i++)
        walk(g, s, enforced, &seed, t);
    er_grammar_free(g);
    er_schema_free(s);
    json_decref(schema);
}

static void test_grammar_agrees_with_the_validator(void **state)
{
    struct tally t = {0};
    (void)state;
    for (uint32_t i = 1; i <= 2000; i++)
        hold_schema(i * 7919u, &t);
    printf("# %zu random schemas, %zu wholly enforced, %zu that nothing "
           "fits; %zu valid and %zu invalid values; %zu texts written, %zu "
           "left unfinished\n", t.schemas, t.enforced, t.none, t.valid,
        t.invalid, t.walked, t.unfinished);
    assert_true(t.enforced > 1500 && t.valid > 3000 && t.walked > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar_reads_gbnf),
        cmocka_unit_test(test_grammar_says_what_is_wrong_with_gbnf),
        cmocka_unit_test(test_grammar_strings),
        cmocka_unit_test(test_grammar_numbers),
        cmocka_unit_test(test_grammar_objects),
        cmocka_unit_test(test_grammar_says_what_it_leaves_out),
        cmocka_unit_test(test_grammar_forces_what_has_no_choice),
        cmocka_unit_test(test_grammar_masks_what_it_takes),
        cmocka_unit_test(test_grammar_agrees_with_the_validator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
