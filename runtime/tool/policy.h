/* Policy: whether a call runs, is asked about, or is refused.
 *
 * Rules are texts, NAME or NAME(CONDITION, ...), in three lists: deny, ask,
 * allow. docs/policy.md is the authority on what they mean; in short:
 *
 *   order     a deny of any level holds. Then level by level (what was said
 *             last first), in each ask before allow; the first match decides.
 *   reading   rules that restrict are read widely, rules that allow narrowly:
 *             where a value has several readings (a path through a link, a
 *             URL with a user's name in it), deny and ask match if any fits,
 *             allow only if all do.
 *   values    are those of the parsed arguments: escapes, the order of
 *             members and the spelling of numbers make no difference, and
 *             members that stand twice never get here (strict JSON).
 *   taint     once text from outside is in the conversation, a tool that
 *             sends data out or is unsafe is asked about; only an allow rule
 *             with conditions, NAME(...), lets it run.
 *
 * Everything is [owner]; matching looks at links on the disk, and no more.
 */
#ifndef ERRAND_TOOL_POLICY_H
#define ERRAND_TOOL_POLICY_H

#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum er_policy_kind {
    ER_POLICY_DENY = 0,
    ER_POLICY_ASK = 1,
    ER_POLICY_ALLOW = 2,
};

/* "deny", "ask", "allow". [any] */
const char *er_policy_kind_name(enum er_policy_kind kind);

/* Who said it, the last word first. */
enum er_policy_level {
    ER_POLICY_ANSWER = 0, /* a person, asked in this run */
    ER_POLICY_FLAG = 1,   /* the request */
    ER_POLICY_ALWAYS = 2, /* a person, asked once for all */
    ER_POLICY_CONFIG = 3, /* errand.lua */
    ER_POLICY_LEVELS = 4,
};

/* Where relative paths and ~ lead. Borrowed for the policy's life. */
struct er_policy_place {
    const char *cwd;  /* absolute; NULL: relative paths match no path rule */
    const char *home; /* absolute, or NULL */
};

/* Does a path lead below the working folder, links followed? [any] */
bool er_policy_is_below(
    const struct er_policy_place *place, const char *path);

/* ----------------------------------------------------------------- rules */

typedef struct er_rule er_rule;

enum { ER_RULE_MAX = 256 * 1024 }; /* bytes of a rule's text */

/* NULL on failure, with the byte's place in err->at.
 * Errors  SYNTAX, TOO_LARGE, NOMEM */
er_rule *er_rule_parse(const char *text, const struct er_policy_place *place,
    struct errand_error *err);
void er_rule_free(er_rule *rule);

/* As it was written. Borrowed as long as the rule. */
const char *er_rule_text(const er_rule *rule);

/* Has it conditions? NAME has none, NAME(*) has. */
bool er_rule_is_bare(const er_rule *rule);

/* Does its name match a tool's, whatever the conditions? */
bool er_rule_names(const er_rule *rule, const char *tool);

/* Does it match a call, read as a rule of this kind? args is an object. */
bool er_rule_matches(const er_rule *rule, enum er_policy_kind kind,
    const char *tool, const json_t *args);

/* Text of the rule that matches exactly this call: NAME(=={...}). Caller
 * frees with free(); NULL: no memory. */
char *er_rule_exact(const char *tool, const json_t *args);

/* ---------------------------------------------------------------- policy */

typedef struct er_policy er_policy;

/* base (may be NULL) holds further rules, borrowed for its life. Errors
 * NOMEM. */
er_policy *er_policy_new(const struct er_policy_place *place,
    const er_policy *base, struct errand_error *err);
void er_policy_free(er_policy *p);

/* What a tool with effects is that no rule matches: ALLOW unless set. Only
 * a stricter one counts. */
void er_policy_set_default(er_policy *p, enum er_policy_kind kind);

/* Errors as er_rule_parse, the rule's text in the message. */
int er_policy_add(er_policy *p, enum er_policy_kind kind,
    enum er_policy_level level, const char *text, struct errand_error *err);

/* Drop all rules of a level, or the one with this text (false: none). */
bool er_policy_drop(
    er_policy *p, enum er_policy_level level, const char *text);

/* Add every rule of an array of texts (NULL and {}: none). what names it in
 * messages. */
int er_policy_add_all(er_policy *p, enum er_policy_kind kind,
    enum er_policy_level level, const json_t *texts, const char *what,
    struct errand_error *err);

/* The i-th rule, its base's behind its own; NULL behind the last. */
struct er_policy_rule {
    enum er_policy_kind kind;
    enum er_policy_level level;
    const er_rule *rule;
};
const struct er_policy_rule *er_policy_at(const er_policy *p, size_t i);

struct er_policy_question {
    const char *tool;
    int32_t effect; /* errand_effect */
    bool egress;    /* it sends data out */
    bool tainted;   /* text from outside is in the conversation */
    const json_t *args;
};

struct er_policy_answer {
    enum er_policy_kind kind;
    const struct er_policy_rule *by; /* NULL: no rule, but a default */
    bool taint; /* it is the taint that asks */
};

struct er_policy_answer er_policy_decide(
    const er_policy *p, const struct er_policy_question *q);

/* "the rule \"...\" of errand.lua", "the conversation holds text from
 * outside ..." for people and for the model. */
void er_policy_say(const struct er_policy_answer *a, char *out, size_t size);

/* The rule that denies a tool whatever its arguments are, so that a model
 * need not hear of it; NULL: none. */
const struct er_policy_rule *er_policy_hides(
    const er_policy *p, const char *tool);

#endif
