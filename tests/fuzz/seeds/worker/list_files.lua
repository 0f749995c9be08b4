-- list_files: what there is in a folder, or below it.

local SHOW_MOST = 500 -- entries of the answer
local VISIT_MOST = 50000 -- entries looked at
local DEEPEST = 30

-- Does a name match a pattern with * and ? (neither crosses a "/")? Walks
-- back to the last star only, so that no pattern takes long.
local function match_part(pattern, name)
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

local function split(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do parts[#parts + 1] = part end
  return parts
end

-- The same for whole paths, where ** stands for any number of folders.
local function match_parts(pattern, path)
  local p, n, star, mark = 1, 1, nil, nil
  while n <= #path do
    local part = pattern[p]
    if part == "**" then
      star, mark = p, n
      p = p + 1
    elseif part and match_part(part, path[n]) then
      p, n = p + 1, n + 1
    elseif star then
      p, mark = star + 1, mark + 1
      n = mark
    else
      return false
    end
  end
  while pattern[p] == "**" do p = p + 1 end
  return p > #pattern
end

-- A function that says whether a path (relative to the folder) is wanted.
local function matcher(glob)
  if not glob or glob == "" then
    return function() return true end
  end
  if not glob:find("/", 1, true) and glob ~= "**" then
    return function(_, name) return match_part(glob, name) end
  end
  local pattern = split(glob)
  return function(path) return match_parts(pattern, split(path)) end
end

local function join(folder, name)
  if folder == "" or folder == "." then return name end
  return (folder:gsub("/+$", "")) .. "/" .. name
end

return {
  name = "list_files",
  description = "List the files and folders of a folder, with sizes in bytes; "
    .. "folders end with /. With recursive also what lies below. Hidden "
    .. "entries (.git and so on) only if asked for.",
  parameters = {
    type = "object",
    properties = {
      path = {
        type = "string",
        description = "the folder, relative to the working folder; "
          .. "default: the working folder",
      },
      pattern = {
        type = "string",
        description = "only names that match, with * and ?, such as *.md; with "
          .. "a / it is matched against the path below the folder, where ** "
          .. "stands for any folders, such as src/**/*.c",
      },
      recursive = {
        type = "boolean",
        description = "also list what lies in folders below; default false",
      },
      hidden = {
        type = "boolean",
        description = "also list names that begin with a dot; default false",
      },
    },
    required = {},
    additionalProperties = false,
  },
  effect = "read",
  permissions = { read = { "." } },
  timeout_ms = 20000,
  run = function(args, ctx)
    local wanted = matcher(args.pattern)
    local lines, found, visited, unread = {}, 0, 0, 0
    local deep = args.recursive or (args.pattern or ""):find("/", 1, true)
    local function visit(folder, below, depth)
      local entries
      if depth == 0 then
        entries = ctx.fs.list(folder)
      else
        local ok, list = pcall(ctx.fs.list, folder)
        if not ok then unread = unread + 1 return end
        entries = list
      end
      for _, entry in ipairs(entries) do
        visited = visited + 1
        if visited > VISIT_MOST then return end
        local path = join(below, entry.name)
        local is_folder = entry.type == "folder"
        if args.hidden or entry.name:sub(1, 1) ~= "." then
          if wanted(path, entry.name) then
            found = found + 1
            if found <= SHOW_MOST then
              lines[found] = path .. (is_folder and "/"
                or entry.type == "file" and ("\t%d"):format(entry.size)
                or "\t" .. entry.type)
            end
          end
          if is_folder and deep and depth < DEEPEST then
            visit(join(folder, entry.name), path, depth + 1)
          end
        end
      end
    end
    local function note(...) lines[#lines + 1] = string.format(...) end
    visit(args.path or ".", "", 0)
    if found == 0 then lines[1] = "(nothing found)" end
    if found > SHOW_MOST then
      note("(%d of %d entries; narrow it with path or pattern)",
        SHOW_MOST, found)
    end
    if visited > VISIT_MOST then
      note("(stopped after %d entries; narrow it with path)", VISIT_MOST)
    end
    if unread > 0 then
      note("(%d folders could not be read)", unread)
    end
    return table.concat(lines, "\n")
  end,
}
