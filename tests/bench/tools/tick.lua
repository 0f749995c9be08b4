return {
  name = "tick",
  description = "Count one step",
  parameters = {
    type = "object",
    properties = { n = { type = "integer", description = "the step" } },
    required = { "n" },
  },
  effect = "pure",
  run = function(args) return { ok = args.n } end,
}
