/* Groups of options, as commands share them; groups.c holds the rows. */
#ifndef ERRAND_CLI_GROUPS_H
#define ERRAND_CLI_GROUPS_H

#include "options.h"

extern const struct er_opt_group er_opts_conv;
extern const struct er_opt_group er_opts_run;
extern const struct er_opt_group er_opts_request;
extern const struct er_opt_group er_opts_resume;
extern const struct er_opt_group er_opts_budgets;
extern const struct er_opt_group er_opts_policy, er_opts_rules, er_opts_call;
extern const struct er_opt_group er_opts_runtime;
extern const struct er_opt_group er_opts_local, er_opts_engine;
extern const struct er_opt_group er_opts_events;
extern const struct er_opt_group er_opts_json;
extern const struct er_opt_group er_opts_talk;
extern const struct er_opt_group er_opts_help;
extern const struct er_opt_group er_opts_batch;
extern const struct er_opt_group er_opts_new, er_opts_new_agent;
extern const struct er_opt_group er_opts_list;
extern const struct er_opt_group er_opts_search;
extern const struct er_opt_group er_opts_index, er_opts_find;
extern const struct er_opt_group er_opts_answer;
extern const struct er_opt_group er_opts_export, er_opts_show;
extern const struct er_opt_group er_opts_fork;
extern const struct er_opt_group er_opts_resolve;
extern const struct er_opt_group er_opts_rm;
extern const struct er_opt_group er_opts_parse;
extern const struct er_opt_group er_opts_schema;
extern const struct er_opt_group er_opts_cases;
extern const struct er_opt_group er_opts_render;
extern const struct er_opt_group er_opts_tokenize;
extern const struct er_opt_group er_opts_logits;
extern const struct er_opt_group er_opts_info;
extern const struct er_opt_group er_opts_pull;
extern const struct er_opt_group er_opts_bench;
extern const struct er_opt_group er_opts_help_command;

#endif
