-- edit_file: one exact piece of a text file for another.

local SIZE_MOST = 4 * 1024 * 1024

-- Where text stands in whole: how often, and the line of each.
local function places(whole, text)
  local found, from, line, seen = {}, 1, 1, 1
  while true do
    local at = whole:find(text, from, true)
    if not at then return found end
    for _ in whole:sub(seen, at - 1):gmatch("\n") do line = line + 1 end
    seen = at
    found[#found + 1] = { at = at, line = line }
    if #found > 1000 then return found end
    from = at + #text
  end
end

-- Why it was not found: perhaps only spaces differ.
local function hint(whole, text)
  local function squeeze(s) return (s:gsub("%s+", " ")) end
  local loose = squeeze(text)
  if loose ~= " " and squeeze(whole):find(loose, 1, true) then
    return "; it is there with other spaces or line breaks: copy it exactly"
  end
  local first = text:match("[^\n]+")
  if first and whole:find(first, 1, true) then
    return "; its first line is there, what follows differs: read the file "
      .. "again"
  end
  return "; read the file again and copy the text exactly"
end

return {
  name = "edit_file",
  description = "Change a text file of the working folder: replace one piece "
    .. "of its text by another. old_text must stand in the file exactly, "
    .. "spaces and line breaks included, and only once; give enough lines "
    .. "around it.",
  parameters = {
    type = "object",
    properties = {
      path = {
        type = "string",
        description = "the file, relative to the working folder",
      },
      old_text = {
        type = "string",
        minLength = 1,
        description = "the text to replace, exactly as in the file",
      },
      new_text = {
        type = "string",
        description = "the text to put there; empty deletes",
      },
      all = {
        type = "boolean",
        description = "true: replace it everywhere it stands; default false",
      },
    },
    required = { "path", "old_text", "new_text" },
    additionalProperties = false,
  },
  effect = "unsafe",
  permissions = { read = { "." }, write = { "." } },
  run = function(args, ctx)
    local old, new = args.old_text, args.new_text
    if old == new then return nil, "old_text and new_text are the same" end
    local there = ctx.fs.stat(args.path)
    if not there then
      return nil, ("'%s' is not there; write_file makes it"):format(args.path)
    end
    if there.size > SIZE_MOST then
      return nil, ("'%s' has %d bytes; files up to 4 MiB can be edited")
        :format(args.path, there.size)
    end
    local whole = ctx.fs.read(args.path)
    local found = places(whole, old)
    if #found == 0 then
      return nil, ("the text is not in %s%s"):format(args.path,
        hint(whole, old))
    end
    if #found > 1 and not args.all then
      local lines = {}
      for i = 1, math.min(#found, 10) do lines[i] = found[i].line end
      return nil, ("the text is in %s %d times, at lines %s: give more lines "
        .. "around it, or all = true"):format(args.path, #found,
        table.concat(lines, ", "))
    end
    local parts, from = {}, 1
    for _, place in ipairs(found) do
      parts[#parts + 1] = whole:sub(from, place.at - 1)
      parts[#parts + 1] = new
      from = place.at + #old
    end
    if #found > 1000 then
      return nil, "the text is there over 1000 times; write the file anew"
    end
    parts[#parts + 1] = whole:sub(from)
    ctx.fs.write(args.path, table.concat(parts))
    if #found == 1 then
      return ("changed %s at line %d"):format(args.path, found[1].line)
    end
    return ("changed %s at %d places"):format(args.path, #found)
  end,
}
