/* search_documents and read_document: tools that are there as soon as
 * something is indexed. */
#ifndef ERRAND_AGENT_DOC_TOOLS_H
#define ERRAND_AGENT_DOC_TOOLS_H

#include "agent/runtime.h"

/* Put them into the registry if the store has documents. Errors as
 * er_tools_add. */
int er_doc_tools_add(errand *rt, struct errand_error *err);

#endif
