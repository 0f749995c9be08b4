return {
  name = "add",
  description = "Add two numbers",
  parameters = {
    type = "object",
    properties = {
      a = { type = "number", description = "first" },
      b = { type = "number", description = "second" },
    },
    required = { "a", "b" },
  },
  effect = "pure",
  run = function(args) return { sum = args.a + args.b } end,
}
