-- Summarizes the files of a folder: each by itself, beside each other, then
-- all of them together. Killed, it goes on with the file it was at.
local PART = 12000 -- bytes that the model reads at once

local function files_of(ctx, input)
  local names = {}
  local listed = ctx.tool("list_files",
    { path = input.folder, pattern = input.pattern, recursive = true })
  for line in listed:gmatch("[^\n]+") do
    local name = line:match("^(.-)\t%d+$")
    if name then names[#names + 1] = input.folder .. "/" .. name end
  end
  return names
end

-- A file in parts; read_file says where to go on.
local function parts_of(ctx, path)
  local parts, from = {}, 1
  while from do
    local text = ctx.tool("read_file", { path = path, from_line = from })
    local body, go_on =
      text:match("^(.*)\n%(lines %d+ to %d+; .* from_line = (%d+)%)%s*$")
    body, from = body or text, go_on and math.tointeger(go_on)
    for at = 1, #body, PART do parts[#parts + 1] = body:sub(at, at + PART - 1) end
  end
  return parts
end

-- Summaries become one: in groups, until one is left.
local function merge(ctx, texts, input)
  while #texts > 1 do
    local groups = {}
    for i = 1, #texts, 8 do
      groups[#groups + 1] =
        table.concat(texts, "\n\n", i, math.min(i + 7, #texts))
    end
    texts = ctx.map(groups, function(group)
      return ctx.ask("Make one summary of these, in " .. input.language
        .. ", in about " .. input.words .. " words:\n\n" .. group)
    end)
  end
  return texts[1]
end

local function digest(ctx, name, input)
  local ok, parts = pcall(parts_of, ctx, name)
  if not ok then return name .. ": cannot be read" end
  local said = {}
  for i, part in ipairs(parts) do
    said[i] = ctx.ask("Summarize this part of " .. name .. ":\n\n" .. part)
  end
  return name .. ": " .. (merge(ctx, said, input) or "empty")
end

return {
  description = "Summarize the text files of a folder",
  tools = { "list_files", "read_file" },
  parameters = {
    type = "object",
    properties = {
      folder = { type = "string", default = ".", description = "where they are" },
      pattern = { type = "string", default = "*.md", description = "which files" },
      language = { type = "string", default = "English" },
      words = { type = "integer", default = 150, minimum = 10, maximum = 2000 },
    },
  },
  system = "You summarize. Keep names and numbers; invent nothing.",
  run = function(ctx, input)
    local names = files_of(ctx, input)
    if #names == 0 then
      return "No file in " .. input.folder .. " fits " .. input.pattern .. "."
    end
    ctx.log(#names .. " files")
    local said = ctx.map(names, function(name)
      return digest(ctx, name, input)
    end)
    return merge(ctx, said, input)
  end,
}
