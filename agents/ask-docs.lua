-- Asks the documents that `errand index` read: finds passages, lets the model
-- answer from them alone, and checks what it says it took from where.
local CITED = {
  type = "object",
  properties = {
    answer = { type = "string", description = "the answer, in a few sentences" },
    sources = {
      type = "array",
      items = {
        type = "object",
        properties = {
          id = { type = "string", description = "id of the passage" },
          quote = { type = "string", description = "words of it, exactly" },
        },
        required = { "id", "quote" },
      },
    },
  },
  required = { "answer", "sources" },
}

-- Lines and spaces may differ in a quotation, words may not.
local function plain(text)
  return (text:gsub("%s+", " "))
end

local function source(hit, quote)
  local place = hit.path
  if hit.line and hit.line ~= errand.null then place = place .. ":" .. hit.line end
  if hit.heading ~= "" then place = place .. " (" .. hit.heading .. ")" end
  local found = plain(hit.text):find(plain(quote), 1, true)
  return "- " .. place .. (found and "" or ", but it does not say: " .. quote)
end

return {
  description = "Answer from the indexed documents, with sources",
  parameters = {
    type = "object",
    properties = {
      passages = {
        type = "integer", minimum = 1, maximum = 50, default = 6,
        description = "how many to read",
      },
      path = { type = "string", description = "only documents under this path" },
    },
  },
  system = "Answer from the passages alone. If they do not say it, say so.",
  run = function(ctx, input)
    if input.prompt == "" then return nil, "ask something: errand run -a ask-docs \"...\"" end
    local hits = ctx.search(input.prompt, { limit = input.passages, path = input.path })
    if #hits == 0 then
      return "Nothing in the indexed documents fits. `errand index PATH` reads a folder."
    end
    local by_id, passages = {}, {}
    for i, hit in ipairs(hits) do
      by_id[hit.id] = hit
      passages[i] = "[" .. hit.id .. "] " .. hit.heading .. "\n" .. hit.text
    end
    local said = ctx.ask{
      prompt = table.concat(passages, "\n\n") .. "\n\nQuestion: " .. input.prompt,
      schema = CITED,
    }
    local lines = { said.answer, "" }
    for _, s in ipairs(said.sources) do
      local hit = by_id[s.id]
      lines[#lines + 1] = hit and source(hit, s.quote)
        or "- " .. s.id .. " is none of the passages"
    end
    return table.concat(lines, "\n")
  end,
}
