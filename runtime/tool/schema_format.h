/* Formats, for schemas whose "format" is to be asserted.
 *
 * Each is a reader of its grammar over the bytes of a text, which may hold
 * NUL and has no end but its length. A format that is not in the table is an
 * annotation.
 */
#ifndef ERRAND_TOOL_SCHEMA_FORMAT_H
#define ERRAND_TOOL_SCHEMA_FORMAT_H

#include "tool/schema_compile.h"

/* NULL: no such format. */
er_format_fn *er_format_find(const char *name);

/* Set up what the format needs in the schema. */
bool er_format_prepare(struct er_compile *c, er_format_fn *fn);

/* --- schema_format_time.c */
er_format_fn er_format_date, er_format_time, er_format_date_time,
    er_format_duration;

/* --- schema_format_net.c */
er_format_fn er_format_ipv4, er_format_ipv6, er_format_email,
    er_format_idn_email;

/* --- schema_format_uri.c */
er_format_fn er_format_uri, er_format_uri_reference, er_format_iri,
    er_format_iri_reference, er_format_uri_template;

#endif
