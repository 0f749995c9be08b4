return {
  name = "weather",
  description = "Tell the weather of a town",
  parameters = {
    type = "object",
    properties = {
      town = { type = "string", description = "its name" },
      unit = { type = "string", enum = { "C", "F" } },
      days = { type = "array", items = { type = "integer" } },
    },
    required = { "town" },
    additionalProperties = false,
  },
  effect = "pure",
  run = function(args) return "in " .. args.town .. ": 21 °C, “sunny”\n" end,
}
