-- Looks at a request, decides which other agent is for it, and hands it over.
local ROUTES = {
  ["ask-docs"] = "a question that the indexed documents may answer",
  digest = "a wish for a summary of the files of a folder",
  answer = "anything else: it is answered at once",
}

return {
  description = "Hand a request to the agent that is for it",
  system = "You route requests.",
  run = function(ctx, input)
    if input.prompt == "" then return nil, "say what is to be done" end
    local names, about = {}, {}
    for name, what in pairs(ROUTES) do
      names[#names + 1] = name
      about[#about + 1] = "- " .. name .. ": " .. what
    end
    local choice = ctx.ask{
      prompt = "Which of these is for the request?\n" .. table.concat(about, "\n")
        .. "\n\nRequest: " .. input.prompt,
      schema = {
        type = "object",
        properties = {
          route = { type = "string", enum = names },
          folder = { type = "string", description = "of a digest" },
        },
        required = { "route" },
      },
    }
    ctx.log("to " .. choice.route)
    if choice.route == "ask-docs" then
      return ctx.agent("ask-docs", input.prompt)
    elseif choice.route == "digest" then
      return ctx.agent("digest", { folder = choice.folder or "." })
    end
    return ctx.ask{ prompt = input.prompt, system = "Answer briefly." }
  end,
}
