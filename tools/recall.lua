-- recall: what remember kept.

local SHOW_MOST = 32 * 1024 -- bytes of the answer

local function all_names(kv)
  local names, after = {}, nil
  repeat
    local some = kv.list("", after)
    for _, name in ipairs(some) do names[#names + 1] = name end
    after = some[#some]
  until #some < 1000
  return names
end

local function words_of(text)
  local words = {}
  for word in text:lower():gmatch("[%w\x80-\xff]+") do
    words[#words + 1] = word
  end
  return words
end

-- How many of the words stand in text.
local function score_of(words, text)
  local score = 0
  text = text:lower()
  for _, word in ipairs(words) do
    if text:find(word, 1, true) then score = score + 1 end
  end
  return score
end

return {
  name = "recall",
  description = "Read the notes that remember kept. With a query: those whose "
    .. "name or text has words of it, best first. Without: the names of all.",
  parameters = {
    type = "object",
    properties = {
      query = {
        type = "string",
        description = "words to look for, or the name of a note",
      },
    },
    additionalProperties = false,
  },
  effect = "read",
  permissions = { kv = { "memory" } },
  run = function(args, ctx)
    local names = all_names(ctx.kv)
    if #names == 0 then return "(there are no notes yet)" end
    local words = words_of(args.query or "")
    if #words == 0 then
      return ("%d notes: %s"):format(#names, table.concat(names, ", "))
    end
    local found = {}
    for _, name in ipairs(names) do
      local note = ctx.kv.get(name)
      local score = note and score_of(words, name .. " " .. note.text) or 0
      if name:lower() == args.query:lower() then score = score + 1000 end
      if score > 0 then
        found[#found + 1] = { name = name, note = note, score = score }
      end
    end
    table.sort(found, function(a, b)
      if a.score ~= b.score then return a.score > b.score end
      return a.name < b.name
    end)
    local lines, bytes = {}, 0
    for i, one in ipairs(found) do
      local line = ("%s (%s): %s"):format(one.name, one.note.day,
        one.note.text)
      bytes = bytes + #line
      if bytes > SHOW_MOST and i > 1 then
        lines[#lines + 1] = ("(%d more notes)"):format(#found - i + 1)
        break
      end
      lines[#lines + 1] = line
    end
    if #lines == 0 then
      return ("no note has a word of '%s'; there are: %s"):format(args.query,
        table.concat(names, ", "):sub(1, 2000))
    end
    return table.concat(lines, "\n")
  end,
}
