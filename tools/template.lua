-- A tool to copy: cp tools/template.lua tools/my_tool.lua, then work through
-- the six steps. `errand tools check tools/my_tool.lua` says what is wrong;
-- `errand tools call my_tool '{"text":"hello"}'` runs it by hand.
-- (This file itself is not loaded: its name is template.lua.)

return {
  -- 1. The name models call it by: letters, digits, _ and -.
  name = "my_tool",

  -- 2. What it does and when to use it. The model reads this and nothing
  --    else to decide, so say it as you would to a new colleague.
  description = "Say a text backwards. Use it when somebody asks for "
    .. "mirrored text.",

  -- 3. The arguments, as JSON Schema. Arguments that do not fit never reach
  --    run: the model is told what is wrong and tries again.
  parameters = {
    type = "object",
    properties = {
      text = { type = "string", description = "the text to turn around" },
      times = {
        type = "integer",
        minimum = 1,
        maximum = 10,
        description = "how often to say it; default 1",
      },
    },
    required = { "text" },
  },

  -- 4. What it does to the world. After a crash errand asks this question:
  --    may the call be run again?
  --      "pure"        depends on its arguments alone
  --      "read"        reads, changes nothing
  --      "idempotent"  running it twice is as once
  --      "keyed"       honours ctx.idempotency_key
  --      "unsafe"      none of these: never run twice (the default)
  effect = "pure",

  -- 5. What it needs. Without this a tool reaches nothing but its arguments.
  -- permissions = { read = { "." } },  -- ctx.fs below the working folder

  -- Further members: timeout_ms (30000), sequential = true (never beside
  -- other calls), polls = true (the same answer twice is expected).

  -- 6. The work. Return a text or a table (it becomes JSON). To say no,
  --    return nil and a message for the model; an error(...) does the same.
  run = function(args, ctx)
    if args.text == "" then return nil, "there is no text to turn around" end
    local letters = {}
    for _, code in utf8.codes(args.text) do
      table.insert(letters, 1, utf8.char(code))
    end
    return { text = table.concat(letters):rep(args.times or 1, " ") }
  end,

  -- 7. What calls of it give: `errand tools check` tries them.
  examples = {
    { arguments = { text = "abc", times = 2 }, result = { text = "cba cba" } },
    { arguments = { text = "" }, error = "no text" },
  },
}
