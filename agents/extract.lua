-- Reads the files of a folder and writes, of each, the fields that were asked
-- for: one line of JSON per file. What a file does not say stays empty.
local MOST = 24000 -- bytes of a file that are read

return {
  description = "Structured data from many files, as JSON lines",
  tools = { "list_files", "read_file" },
  parameters = {
    type = "object",
    properties = {
      fields = {
        type = "string",
        description = "names, with commas between them: title,author,date",
      },
      folder = { type = "string", default = ".", description = "where they are" },
      pattern = { type = "string", default = "*", description = "which files" },
    },
    required = { "fields" },
  },
  system = "You extract data. Take it from the text alone; leave empty what it "
    .. "does not say.",
  run = function(ctx, input)
    local schema = { type = "object", properties = {}, required = {} }
    for field in input.fields:gmatch("[^,%s]+") do
      schema.properties[field] = { type = "string" }
      table.insert(schema.required, field)
    end
    local names = {}
    local listed = ctx.tool("list_files",
      { path = input.folder, pattern = input.pattern, recursive = true })
    for line in listed:gmatch("[^\n]+") do
      local name = line:match("^(.-)\t%d+$")
      if name then names[#names + 1] = input.folder .. "/" .. name end
    end
    local lines = ctx.map(names, function(name)
      local ok, text = pcall(ctx.tool, "read_file", { path = name })
      if not ok then return ctx.json.encode({ file = name, error = "no text" }) end
      local good, row = pcall(ctx.ask, {
        prompt = "Fields: " .. input.fields .. "\n\n" .. text:sub(1, MOST),
        schema = schema,
      })
      if not good then row = { error = "the answer did not fit" } end
      row.file = name
      return ctx.json.encode(row)
    end)
    return table.concat(lines, "\n")
  end,
}
