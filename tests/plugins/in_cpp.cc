// A plugin in C++: a class behind self, a lambda as run, exceptions that
// stay inside.
#include <errand/tool.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace {

class Reverser {
public:
    std::string reverse(std::string text)
    {
        if (text.empty())
            throw std::invalid_argument("there is nothing to reverse");
        std::reverse(text.begin(), text.end());
        return text;
    }
};

void run(void *self, errand_tool_call *call)
{
    const errand_tool_host *host = call->host;
    try {
        std::size_t len = 0;
        const char *text = host->text(call, "/text", &len);
        std::string result = static_cast<Reverser *>(self)->reverse(
            std::string(text ? text : "", len));
        host->reply(call, result.data(), result.size());
    } catch (const std::exception &e) {
        std::string why = e.what();
        host->fail(call, why.data(), why.size());
    }
}

// What an extension gives, in C++'s own clothes.
std::string kept(errand_tool_call *call, const char *key)
{
    const errand_tool_kv *kv = static_cast<const errand_tool_kv *>(
        call->host->extension(call, ERRAND_TOOL_KV));
    const char *json = nullptr, *why = nullptr;
    if (!kv || kv->get(call, key, &json, &why) < 0)
        throw std::runtime_error(why ? why : "no kv here");
    return json ? json : "nothing";
}

void recall(void *, errand_tool_call *call)
{
    try {
        std::string value = kept(call, "a");
        call->host->reply(call, value.data(), value.size());
    } catch (const std::exception &e) {
        std::string why = e.what();
        call->host->fail(call, why.data(), why.size());
    }
}

int32_t init(void **self, errand_tool_call *)
{
    *self = new Reverser;
    return 0;
}

void fini(void *self)
{
    delete static_cast<Reverser *>(self);
}

const errand_tool reverse = {sizeof reverse, ERRAND_TOOL_PURE,
    ERRAND_TOOL_REENTRANT, 0, "reverse", "Turn a text around",
    R"({"type": "object", "properties": {"text": {"type": "string"}}})",
    nullptr, run, nullptr};
const errand_tool recalls = {sizeof recalls, ERRAND_TOOL_READ, 0, 0,
    "recall_it", "Say what is kept", nullptr, R"({"kv": true})", recall,
    nullptr};
const errand_tool *const tools[] = {&reverse, &recalls, nullptr};
const errand_plugin plugin = {sizeof plugin, ERRAND_TOOL_ABI, "in_cpp", "1",
    tools, nullptr, init, fini};

}

const errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
