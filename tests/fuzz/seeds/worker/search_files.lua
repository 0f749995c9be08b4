-- search_files: where a text stands in the files below a folder.

local MATCHES = 100 -- shown by default
local FILES_MOST = 20000 -- files looked into
local FILE_MOST = 8 * 1024 * 1024 -- bytes of a file that is looked into
local SHOW_MOST = 48 * 1024 -- bytes of the answer
local LINE_MOST = 300 -- bytes of a line that are shown
local DEEPEST = 30

-- Does a name match a pattern with * and ? (see list_files)?
local function match_name(pattern, name)
  local p, n, star, mark = 1, 1, nil, nil
  while n <= #name do
    local c = pattern:sub(p, p)
    if c == "*" then
      star, mark = p, n
      p = p + 1
    elseif c == "?" or (c ~= "" and c == name:sub(n, n)) then
      p, n = p + 1, n + 1
    elseif star then
      p, mark = star + 1, mark + 1
      n = mark
    else
      return false
    end
  end
  return not pattern:find("[^*]", p)
end

local function join(folder, name)
  if folder == "" or folder == "." then return name end
  return (folder:gsub("/+$", "")) .. "/" .. name
end

-- A function that finds the text in a whole file or a line: from, to.
local function finder(args)
  local text = args.text
  if args.is_pattern then
    local ok, why = pcall(string.find, "", text)
    if not ok then
      why = tostring(why):gsub("^.-:%d+: ", "")
      error(("'%s' is not a Lua pattern: %s"):format(text, why), 0)
    end
    return function(s) return s:find(text) end
  end
  if args.ignore_case then
    text = text:lower()
    return function(s) return s:lower():find(text, 1, true) end
  end
  return function(s) return s:find(text, 1, true) end
end

-- The part of a line around the match.
local function show(line, from)
  line = line:gsub("\r$", "")
  if #line <= LINE_MOST then return line end
  local start = math.max(1, (from or 1) - 60)
  local stop = math.min(#line, start + LINE_MOST - 1)
  while start > 1 and (line:byte(start) & 0xC0) == 0x80 do start = start - 1 end
  while stop < #line and (line:byte(stop + 1) & 0xC0) == 0x80 do
    stop = stop + 1
  end
  return (start > 1 and "..." or "") .. line:sub(start, stop)
    .. (stop < #line and "..." or "")
end

-- Collects the answer and knows when it is enough.
local function collector(most)
  local c = { lines = {}, bytes = 0, matches = 0 }
  function c.add(line)
    c.bytes = c.bytes + #line + 1
    c.lines[#c.lines + 1] = line
  end
  function c.full()
    return c.matches >= most or c.bytes >= SHOW_MOST
  end
  return c
end

local function lines_of(text)
  local lines = {}
  if text:sub(-1) ~= "\n" then text = text .. "\n" end
  for line in text:gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- Lines like grep's: "path:12: match", "path-11- context".
local function search_text(path, text, find, context, out)
  local lines, shown = lines_of(text), 0
  for number, line in ipairs(lines) do
    local from = find(line)
    if from then
      if out.full() then out.more = true return end
      out.matches = out.matches + 1
      local first = math.max(shown + 1, number - context)
      if context > 0 and shown > 0 and first > shown + 1 then out.add("--") end
      for i = first, number - 1 do
        out.add(("%s-%d- %s"):format(path, i, show(lines[i])))
      end
      if number > shown then
        out.add(("%s:%d: %s"):format(path, number, show(line, from)))
      end
      shown = math.max(shown, number)
      for i = number + 1, math.min(#lines, number + context) do
        if find(lines[i]) then break end
        out.add(("%s-%d- %s"):format(path, i, show(lines[i])))
        shown = i
      end
    end
  end
end

return {
  name = "search_files",
  description = "Search the text files below a folder for a text, line by "
    .. "line. Answers with path:line: text. Binary and hidden files are left "
    .. "out.",
  parameters = {
    type = "object",
    properties = {
      text = {
        type = "string",
        minLength = 1,
        description = "what to look for, literally",
      },
      path = {
        type = "string",
        description = "folder or file, relative to the working folder; "
          .. "default: the working folder",
      },
      files = {
        type = "string",
        description = "only files whose name matches, with * and ?, "
          .. "such as *.c",
      },
      is_pattern = {
        type = "boolean",
        description = "text is a Lua pattern; default false",
      },
      ignore_case = {
        type = "boolean",
        description = "upper and lower case (ASCII) count as the same; "
          .. "literal texts only",
      },
      context = {
        type = "integer",
        minimum = 0,
        maximum = 10,
        description = "lines to show before and after a match; default 0",
      },
      max_matches = {
        type = "integer",
        minimum = 1,
        maximum = 1000,
        description = "default 100",
      },
    },
    required = { "text" },
    additionalProperties = false,
  },
  effect = "read",
  permissions = { read = { "." } },
  timeout_ms = 30000,
  run = function(args, ctx)
    if args.text:find("\n", 1, true) then
      return nil, "the text holds a line break; lines are searched one by one"
    end
    if args.is_pattern and args.ignore_case then
      return nil, "ignore_case works with literal texts only; write [Aa] in "
        .. "the pattern"
    end
    local find, out = finder(args), collector(args.max_matches or MATCHES)
    local files, skipped, unread = 0, 0, 0
    local function look_into(path, size)
      if size > FILE_MOST then skipped = skipped + 1 return end
      files = files + 1
      local ok, text = pcall(ctx.fs.read, path)
      if not ok then unread = unread + 1 return end
      if text:sub(1, 4096):find("\0", 1, true) then return end
      if not args.is_pattern and not find(text) then return end
      search_text(path, text, find, args.context or 0, out)
    end
    local function is_wanted(name)
      return not args.files or match_name(args.files, name)
    end
    local function visit(folder, depth)
      local ok, entries = pcall(ctx.fs.list, folder)
      if not ok then unread = unread + 1 return end
      for _, entry in ipairs(entries) do
        if out.more or files >= FILES_MOST then return end
        local path = join(folder, entry.name)
        local hidden = entry.name:sub(1, 1) == "."
        if entry.type == "folder" and not hidden and depth < DEEPEST then
          visit(path, depth + 1)
        elseif entry.type == "file" and not hidden then
          if is_wanted(entry.name) then look_into(path, entry.size) end
        end
      end
    end
    local start = args.path or "."
    local stat = ctx.fs.stat(start)
    if not stat then return nil, ("there is no '%s'"):format(start) end
    if stat.type == "file" then
      if stat.size > FILE_MOST then
        return nil, ("'%s' has %d bytes, too many to search"):format(
          start, stat.size)
      end
      look_into(start, stat.size)
      if unread > 0 then ctx.fs.read(start) end -- say why
    else
      ctx.fs.list(start)
      visit(start, 0)
    end
    local function note(when, ...)
      if when then out.add(string.format(...)) end
    end
    note(out.matches == 0, "(nothing found in %d files)", files)
    note(out.more,
      "(there are more matches; narrow it with path, files or text)")
    note(files >= FILES_MOST, "(stopped after %d files)", FILES_MOST)
    note(skipped > 0, "(%d files over 8 MiB were left out)", skipped)
    note(unread > 0, "(%d files or folders could not be read)", unread)
    return table.concat(out.lines, "\n")
  end,
}
