/* Consent: the policy where the runs are. Which rules hold for a run, which
 * call is asked about, what taints a conversation, and what people answered.
 *
 * A call is judged once, before T1, so that its first state in the store is
 * what was decided: planned, waiting, or denied with the reason that the
 * model reads. A call found in the store is judged again: rules may have
 * changed since, but an approval holds as long as what was shown is what
 * would run (a digest of the tool and the arguments).
 *
 * A result from outside carries "trust":"external" in its message. So taint
 * lies in the store with the text that brings it, is copied by forks, and
 * needs no flag of its own.
 */
#ifndef ERRAND_AGENT_CONSENT_H
#define ERRAND_AGENT_CONSENT_H

#include "agent/run.h"

/* --- consent.c: the runtime's part */

/* Read the configuration's rules. Errors CONFIG */
int er_consent_open(errand *rt, struct errand_error *err);
void er_consent_close(errand *rt);

/* Read what the store keeps, once. Errors STORE, NOMEM */
int er_consent_need(errand *rt, struct errand_error *err);

/* Does the tool send data out; is what it returns from outside? */
bool er_consent_sends(const struct er_tool *tool);
bool er_consent_is_outside(const errand *rt, const struct er_tool *tool);

/* Say in a result's message that it came from outside, if it did. */
void er_consent_mark(const struct run_call *c, json_t *message);
bool er_consent_is_external(const json_t *message);
bool er_consent_has_external(const json_t *messages);

/* --- consent_run.c: a run's rules */

/* The request's rules as settings; those of errand_resume's options added.
 * Errors USAGE */
int er_consent_settings(json_t *settings, const struct errand_request *req,
    struct errand_error *err);
int er_consent_more(
    json_t *settings, const json_t *policy, struct errand_error *err);

/* run->policy from its settings. Errors USAGE, STORE */
int er_run_read_policy(errand_run *run, struct errand_error *err);

/* The error of a tool that was named and is denied as a whole. */
int er_consent_hidden(
    const er_policy *policy, const char *tool, struct errand_error *err);

/* Judge a new call: PLANNED, WAITING, or DENIED with its message. Errors
 * NOMEM */
int er_run_judge(struct run_call *c, struct errand_error *err);

/* Judge a call that was found in the store; row is how. */
void er_run_judge_again(struct run_call *c, const struct er_call_row *row);

/* Take over what was said in earlier legs, and the taint: of all messages,
 * or (calls are open) of those that the calls' author had read. */
void er_run_take_consent(
    errand_run *run, const struct er_loaded *l, bool open);

/* --- approve.c: asking */

/* Ask about the calls that wait and were not asked about. */
void er_run_ask(errand_run *run);

/* Is somebody thinking? Else pauses, if a call waits. False: none waits. */
bool er_run_waits_for_approval(errand_run *run);

#endif
