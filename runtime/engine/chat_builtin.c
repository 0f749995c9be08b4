/* Built-in templates for files without one, and telling families apart. */
#include "engine/chat_format.h"

#include <string.h>

#define SYSTEM_FIRST                                                       \
    "{%- set system = '' %}{%- set rest = messages %}"                     \
    "{%- if messages and messages[0].role == 'system' %}"                  \
    "{%- set system = messages[0].content | string | trim %}"              \
    "{%- set rest = messages[1:] %}{%- endif %}"

/* Llama 3.1 to 3.3. Tools stand in the first message of the user, as the
 * models were trained; a result is the role ipython's. */
static const char llama3[] = SYSTEM_FIRST
    "{%- set ns = namespace(told=not tools) %}"
    "{{- bos_token ~ '<|start_header_id|>system<|end_header_id|>\\n\\n' }}"
    "{%- if tools %}{{- 'Environment: ipython\\n' }}{%- endif %}"
    "{{- 'Cutting Knowledge Date: December 2023\\nToday Date: ' ~ "
    "(date_string or strftime_now('%d %b %Y')) ~ '\\n\\n' }}"
    "{{- system }}{{- '<|eot_id|>' }}"
    "{%- for m in rest %}"
    "{%- if m.role in ['tool', 'ipython'] %}"
    "{{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' }}"
    "{{- m.content | tojson }}{{- '<|eot_id|>' }}"
    "{%- elif m.tool_calls %}"
    "{%- for c in m.tool_calls %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}"
    "{{- '{\"name\": ' ~ c.function.name | tojson ~ ', \"parameters\": ' ~ "
    "c.function.arguments | tojson ~ '}' }}{{- '<|eot_id|>' }}"
    "{%- endfor %}"
    "{%- else %}"
    "{{- '<|start_header_id|>' }}{{- m.role }}"
    "{{- '<|end_header_id|>\\n\\n' }}"
    "{%- if m.role == 'user' and not ns.told %}"
    "{%- set ns.told = true %}"
    "{{- 'Given the following functions, please respond with a JSON for a "
    "function call with its proper arguments that best answers the given "
    "prompt.\\n\\nRespond in the format {\"name\": function name, "
    "\"parameters\": dictionary of argument name and its value}.Do not use "
    "variables.\\n\\n' }}"
    "{%- for t in tools %}{{- t | tojson(indent=4) }}{{- '\\n\\n' }}"
    "{%- endfor %}{%- endif %}"
    "{{- m.content | string | trim }}{{- '<|eot_id|>' }}"
    "{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}"
    "{%- endif %}";

/* ChatML with the tags of Hermes and Qwen. Results that follow one another
 * share a turn. */
static const char chatml[] = SYSTEM_FIRST
    "{%- if system or tools %}{{- '<|im_start|>system\\n' }}{{- system }}"
    "{%- if tools %}{{- '\\n\\n' if system }}"
    "{{- '# Tools\\n\\nYou may call one or more functions to assist with "
    "the user query.\\n\\nYou are provided with function signatures within "
    "<tools></tools> XML tags:\\n<tools>' }}"
    "{%- for t in tools %}{{- '\\n' }}{{- t | tojson }}{%- endfor %}"
    "{{- '\\n</tools>\\n\\nFor each function call, return a json object with "
    "function name and arguments within <tool_call></tool_call> XML "
    "tags:\\n<tool_call>\\n{\"name\": <function-name>, \"arguments\": "
    "<args-json-object>}\\n</tool_call>' }}{%- endif %}"
    "{{- '<|im_end|>\\n' }}{%- endif %}"
    "{%- for m in rest %}"
    "{%- if m.role == 'tool' %}"
    "{%- if loop.first or loop.previtem.role != 'tool' %}"
    "{{- '<|im_start|>user' }}{%- endif %}"
    "{{- '\\n<tool_response>\\n' }}{{- m.content }}"
    "{{- '\\n</tool_response>' }}"
    "{%- if loop.last or loop.nextitem.role != 'tool' %}"
    "{{- '<|im_end|>\\n' }}{%- endif %}"
    "{%- else %}"
    "{{- '<|im_start|>' }}{{- m.role }}{{- '\\n' if m.content or not "
    "m.tool_calls }}{{- m.content or '' }}"
    "{%- for c in m.tool_calls or [] %}"
    "{{- '\\n<tool_call>\\n{\"name\": ' }}{{- c.function.name | tojson }}"
    "{{- ', \"arguments\": ' }}{{- c.function.arguments | tojson }}"
    "{{- '}\\n</tool_call>' }}{%- endfor %}"
    "{{- '<|im_end|>\\n' }}"
    "{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- endif %}";

/* Mistral: the system text stands in front of the first user's, tools
 * before the last one's. */
static const char mistral[] = SYSTEM_FIRST
    "{%- set ns = namespace(last=-1, first=true) %}"
    "{%- for m in rest %}{%- if m.role == 'user' %}"
    "{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}"
    "{{- bos_token }}"
    "{%- for m in rest %}"
    "{%- if m.role == 'user' %}"
    "{%- if tools and loop.index0 == ns.last %}"
    "{{- '[AVAILABLE_TOOLS]' }}{{- tools | tojson }}"
    "{{- '[/AVAILABLE_TOOLS]' }}{%- endif %}"
    "{{- '[INST]' }}{%- if ns.first and system %}{{- system }}"
    "{{- '\\n\\n' }}{%- endif %}"
    "{%- set ns.first = false %}{{- m.content }}{{- '[/INST]' }}"
    "{%- elif m.role == 'tool' %}"
    "{{- '[TOOL_RESULTS]{\"content\": ' }}{{- m.content | tojson }}"
    "{%- if m.tool_call_id %}{{- ', \"call_id\": ' }}"
    "{{- m.tool_call_id | tojson }}{%- endif %}"
    "{{- '}[/TOOL_RESULTS]' }}"
    "{%- elif m.tool_calls %}"
    "{{- '[TOOL_CALLS][' }}{%- for c in m.tool_calls %}"
    "{{- ', ' if not loop.first }}{{- '{\"name\": ' }}"
    "{{- c.function.name | tojson }}{{- ', \"arguments\": ' }}"
    "{{- c.function.arguments | tojson }}"
    "{%- if c.id %}{{- ', \"id\": ' }}{{- c.id | tojson }}{%- endif %}"
    "{{- '}' }}{%- endfor %}{{- ']' }}{{- eos_token }}"
    "{%- else %}{{- m.content }}{{- eos_token }}"
    "{%- endif %}{%- endfor %}";

const char *er_chat_builtin(enum er_chat_family family)
{
    return family == ER_CHAT_LLAMA3 ? llama3
        : family == ER_CHAT_MISTRAL ? mistral : chatml;
}

static bool holds(const struct er_chat_signs *s, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; s->chat_template && i + n <= s->len; i++)
        if (memcmp(s->chat_template + i, what, n) == 0)
            return true;
    return false;
}

static bool control(const struct er_chat_signs *s, const char *name)
{
    return s->has_control && s->has_control(s->ctx, name);
}

enum er_chat_family er_chat_family_of(const struct er_chat_signs *s)
{
    static const struct {
        const char *sign;
        enum er_chat_family family;
    } signs[] = {{"<tool_call>", ER_CHAT_HERMES},
        {"[TOOL_CALLS]", ER_CHAT_MISTRAL},
        {"<|python_tag|>", ER_CHAT_LLAMA3},
        {"<|start_header_id|>", ER_CHAT_LLAMA3},
        {"<|im_start|>", ER_CHAT_HERMES}, {"[INST]", ER_CHAT_MISTRAL}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (s->len ? holds(s, signs[i].sign) : control(s, signs[i].sign))
            return signs[i].family;
    return s->arch && strncmp(s->arch, "mistral", 7) == 0 ? ER_CHAT_MISTRAL
                                                          : ER_CHAT_HERMES;
}
