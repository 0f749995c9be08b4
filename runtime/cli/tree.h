/* A run drawn: its steps, turns and calls with times, tokens and cost, as
 * text or as one page of HTML that needs nothing else. */
#ifndef ERRAND_CLI_TREE_H
#define ERRAND_CLI_TREE_H

#include "base/buf.h"
#include "cli.h"

/* The runs of a conversation (as errand_log_show tells it) as nodes:
 * [{"label","state","begun_ms","ended_ms","tokens","cost_micros",
 * "children"}]; new, NULL: no memory. The runs that steps began are asked
 * for. */
json_t *er_tree_make(struct er_cli *cli, const json_t *conversation);

void er_tree_text(const json_t *nodes, struct er_buf *out);
void er_tree_html(const json_t *nodes, const char *title, struct er_buf *out);

#endif
