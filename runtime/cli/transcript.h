/* A conversation as errand_log_show tells it, written for people. */
#ifndef ERRAND_CLI_TRANSCRIPT_H
#define ERRAND_CLI_TRANSCRIPT_H

#include "base/buf.h"
#include "base/json.h"

/* Markdown: headings by role, calls and results in fenced blocks. */
void er_transcript_markdown(const json_t *conversation, struct er_buf *out);

/* The same for a terminal: short, with ids, states and times. */
void er_transcript_text(const json_t *conversation, struct er_buf *out);

/* "2 min ago" for a time in milliseconds, into out[24]. */
void er_ago(int64_t ms, int64_t now_ms, char out[24]);

#endif
