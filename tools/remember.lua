-- remember: a note for later conversations. recall finds it.

return {
  name = "remember",
  description = "Keep a note for later, also for other conversations: a fact, "
    .. "a preference, a decision. A note with the same name is replaced; an "
    .. "empty text deletes it. Use recall to read notes.",
  parameters = {
    type = "object",
    properties = {
      name = {
        type = "string",
        minLength = 1,
        maxLength = 100,
        description = "short name of the note, such as \"user's name\"",
      },
      text = {
        type = "string",
        maxLength = 10000,
        description = "what to remember; empty: forget it",
      },
    },
    required = { "name", "text" },
    additionalProperties = false,
  },
  effect = "idempotent",
  permissions = { kv = { "memory" } },
  run = function(args, ctx)
    local name = args.name:gsub("%s+", " "):match("^ ?(.-) ?$")
    if name == "" then return nil, "the name is empty" end
    if args.text == "" then
      if ctx.kv.delete(name) then return "forgotten: " .. name end
      return nil, ("there is no note named '%s'"):format(name)
    end
    local replaced = ctx.kv.get(name) ~= nil
    ctx.kv.set(name, { text = args.text, day = os.date("!%Y-%m-%d") })
    return (replaced and "replaced: " or "remembered: ") .. name
  end,
}
