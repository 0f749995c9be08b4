/* A shared object without an entry point. */
int errand_plugin_name(void);

__attribute__((visibility("default"))) int errand_plugin_name(void)
{
    return 1;
}
