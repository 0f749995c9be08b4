/* What a runtime offers to its tools beside their arguments: requests and
 * secrets, as the configuration says, and what lives in the store. */
#include "agent/kv.h"

int er_runtime_open_services(errand *rt, struct errand_error *err)
{
    const json_t *config = rt->config.value;
    const json_t *http = json_object_get(config, "http");
    rt->vault = er_vault_new(json_object_get(config, "secrets"), err);
    if (!rt->vault)
        return err->code;
    er_tools_hide(rt->tools, rt->vault);
    struct er_fetch_settings settings = {
        .private_hosts = json_object_get(http, "private"),
        .vault = rt->vault};
    rt->fetch = er_fetch_new(rt->loop, &settings, err);
    if (!rt->fetch)
        return err->code;
    int rc = er_fetch_serve(rt->fetch, rt->tools, err);
    return rc == ERRAND_OK ? er_kv_serve(rt, err) : rc;
}

void er_runtime_close_services(errand *rt)
{
    er_fetch_free(rt->fetch);
    er_vault_free(rt->vault);
    rt->fetch = NULL;
    rt->vault = NULL;
}
