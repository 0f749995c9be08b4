/* A parsed rule: what the parser makes and the matcher reads. */
#ifndef ERRAND_TOOL_POLICY_RULE_H
#define ERRAND_TOOL_POLICY_RULE_H

#include "tool/policy.h"

enum {
    ER_GLOB_TOKENS = 1024, /* of a pattern with wildcards */
    ER_RULE_CONDITIONS = 32,
    ER_RULE_STEPS = 16,
};

/* --- policy_glob.c: patterns, as what they match one by one */

enum er_glob_op {
    ER_GLOB_BYTE = 0,
    ER_GLOB_ONE = 1,  /* ?  a character, but / where it is read narrowly */
    ER_GLOB_NAME = 2, /* *  any characters, but / where read narrowly */
    ER_GLOB_ALL = 3,  /* ** any characters */
};

struct er_glob_token {
    unsigned char op, byte;
};

struct er_glob {
    struct er_glob_token *tokens;
    size_t n, room;
    bool wild; /* something in it is no byte */
};

/* false: no memory. */
bool er_glob_add(struct er_glob *g, enum er_glob_op op, unsigned char byte);
bool er_glob_add_bytes(struct er_glob *g, const char *bytes, size_t len);
void er_glob_release(struct er_glob *g);

struct er_glob_mode {
    bool wide;         /* ? and * match the stops as well */
    const char *stops; /* what ends a name: "/" or "/?#" */
    bool below;        /* a match that ends before a stop is one */
    bool nocase;       /* ASCII letters */
};

/* from: the first token that counts. */
bool er_glob_match(const struct er_glob *g, size_t from, const char *text,
    size_t len, const struct er_glob_mode *mode);

/* --- policy_place.c: paths and URLs in one spelling */

/* Absolute, without . and .. and double slashes; NULL: no memory, or it
 * cannot be told (relative, and no cwd). Caller frees. */
char *er_place_lexical(const struct er_policy_place *place, const char *path,
    size_t len);

/* The same with links followed as far as it exists. Caller frees. */
char *er_place_real(const char *lexical);

struct er_place_url {
    char *scheme, *host, *port; /* lower case; port never empty if known */
    char *path;    /* from / on, with query and fragment, dots resolved */
    char *decoded; /* the same, every %XX decoded */
    bool odd;      /* user's name, backslashes, %XX in the host ... */
};

/* false: it is no absolute URL (or no memory). Release in any case. */
bool er_place_url(const char *text, size_t len, struct er_place_url *out);
void er_place_url_release(struct er_place_url *url);

/* --- the rule */

enum er_step_kind { ER_STEP_MEMBER = 0, ER_STEP_INDEX = 1, ER_STEP_EACH = 2,
    ER_STEP_ANYWHERE = 3 };

struct er_step {
    enum er_step_kind kind;
    char *member;
    size_t member_len;
    size_t index;
};

enum er_pattern_kind {
    ER_PATTERN_TEXT = 0,
    ER_PATTERN_PATH = 1,
    ER_PATTERN_URL = 2,
    ER_PATTERN_JSON = 3, /* == */
};

struct er_condition {
    struct er_step *steps; /* none: the arguments as a whole */
    size_t n_steps;
    bool negated;
    enum er_pattern_kind kind;
    struct er_glob glob;  /* as written */
    struct er_glob path;  /* PATH: made absolute */
    char *folder;         /* PATH: its beginning without wildcards, as a path
                             that can be looked at; up to a / */
    size_t folder_tokens; /* of path, that folder stands for */
    struct er_glob scheme, host, port, rest; /* URL */
    char *json;           /* JSON: canonical */
};

struct er_rule {
    char *text;
    struct er_policy_place place;
    struct er_glob tool;
    bool bare;
    struct er_condition *conditions; /* none in NAME(*) */
    size_t n;
};

/* --- policy_pattern.c: what kind of pattern it is, made ready to match */
int er_pattern_finish(struct er_condition *c,
    const struct er_policy_place *place, struct errand_error *err);

#endif
