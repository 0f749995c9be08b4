-- read_file: a text file, or a range of its lines.

local PART = 256 * 1024 -- bytes read at once
local SCAN_MOST = 64 * 1024 * 1024 -- bytes looked at for one call
local SHOW_MOST = 48 * 1024 -- bytes of the answer
local LINE_MOST = 2000 -- bytes of one line that are shown

local function is_binary(head)
  if head:find("\0", 1, true) then return true end
  local bad, at = 0, 1
  while at <= #head and bad <= 16 do -- text in an old encoding has a few
    local _, wrong = utf8.len(head, at, -1, true)
    if not wrong or wrong > #head - 4 then return false end -- cut at the end
    bad, at = bad + 1, wrong + 1
  end
  return bad > 16
end

-- Lines of a file, read in parts; each without its line break.
local function lines_of(fs, path, head, size)
  local text, read_to, from = head, #head, 1
  return function()
    while true do
      local to = text:find("\n", from, true)
      if to then
        local line = text:sub(from, to - 1)
        from = to + 1
        return (line:gsub("\r$", ""))
      end
      if read_to >= size then
        if from > #text then return nil end
        local line = text:sub(from)
        from = #text + 1
        return line
      end
      if read_to >= SCAN_MOST then return nil, true end
      local more = fs.read(path, read_to, PART)
      if more == "" then size = read_to end -- it shrank meanwhile
      text, from = text:sub(from) .. more, 1
      read_to = read_to + #more
      if #text > 4 * 1024 * 1024 then return nil, true end -- no line at all
    end
  end
end

local function cut(line)
  if #line <= LINE_MOST then return line end
  local at = LINE_MOST
  while at > 0 and (line:byte(at + 1) & 0xC0) == 0x80 do at = at - 1 end
  local rest = ("... (%d bytes more on this line)"):format(#line - at)
  return line:sub(1, at) .. rest
end

return {
  name = "read_file",
  description = "Read a text file of the working folder. Long files come in "
    .. "parts: the answer then says how to go on with from_line.",
  parameters = {
    type = "object",
    properties = {
      path = {
        type = "string",
        description = "the file, relative to the working folder",
      },
      from_line = {
        type = "integer",
        minimum = 1,
        description = "first line, counted from 1; default 1",
      },
      to_line = {
        type = "integer",
        minimum = 1,
        description = "last line; default: as much as fits",
      },
    },
    required = { "path" },
    additionalProperties = false,
  },
  effect = "read",
  permissions = { read = { "." } },
  timeout_ms = 20000,
  run = function(args, ctx)
    local first, last = args.from_line or 1, args.to_line or math.maxinteger
    if last < first then
      return nil, ("to_line %d is before from_line %d"):format(last, first)
    end
    local head, size = ctx.fs.read(args.path, 0, PART)
    if size == 0 then return "(the file is empty)" end
    if is_binary(head:sub(1, 8192)) then
      return nil, ("'%s' is not text: a binary file of %d bytes"):format(
        args.path, size)
    end
    local shown, bytes, number = {}, 0, 0
    local function note(...) shown[#shown + 1] = string.format(...) end
    local next_line = lines_of(ctx.fs, args.path, head, size)
    while number < last do
      local line, gave_up = next_line()
      if not line then
        if gave_up then
          note("(stopped after line %d: the file has %d bytes, too many to "
            .. "look through)", number, size)
        elseif number < first then
          return nil, ("'%s' has only %d lines"):format(args.path, number)
        end
        return table.concat(shown, "\n")
      end
      number = number + 1
      if number >= first then
        line = cut(line)
        if bytes + #line > SHOW_MOST then
          note("(lines %d to %d; the file goes on: call again with "
            .. "from_line = %d)", first, number - 1, number)
          return table.concat(shown, "\n")
        end
        bytes = bytes + #line + 1
        shown[#shown + 1] = line
      end
    end
    if next_line() then
      note("(lines %d to %d; the file goes on)", first, last)
    end
    return table.concat(shown, "\n")
  end,
}
