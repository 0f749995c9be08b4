-- json_query: look into JSON with a path.
--
--   .name  ["any name"]   a member          [0] [-1]   an item, from the end
--   [*]                   every one         [1:3]      items 1 and 2
--   ..name                at any depth      [?age > 3] those for which it holds
--   | length keys values sort unique sum min max first last, each after a bar

local SHOW_MOST = 48 * 1024

local function is_array(v)
  return type(v) == "table" and (#v > 0 or getmetatable(v) == false)
end

local function is_object(v)
  return type(v) == "table" and not is_array(v)
end

local function kind(v)
  if v == errand.null then return "null" end
  if is_array(v) then return "a list of " .. #v end
  if is_object(v) then return "an object" end
  return "a " .. type(v)
end

local function sorted_keys(v)
  local keys = {}
  for key in pairs(v) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function fail(...) error({ message = string.format(...) }, 0) end

-- The members of v, as a list; nothing if it has none.
local function members(v)
  if is_array(v) then return v end
  local list = {}
  if is_object(v) then
    for _, key in ipairs(sorted_keys(v)) do list[#list + 1] = v[key] end
  end
  return list
end

-- Each step takes a list of values and gives the next.
local steps = {}

function steps.member(values, name, many)
  local out = {}
  for _, v in ipairs(values) do
    local found
    if is_object(v) then found = v[name] end
    if found ~= nil then
      out[#out + 1] = found
    elseif not many then
      if not is_object(v) then
        fail("'%s' is asked of %s; only objects have members", name, kind(v))
      end
      local names = table.concat(sorted_keys(v), ", ")
      fail("there is no member '%s'; there are: %s", name, names:sub(1, 300))
    end
  end
  return out
end

function steps.item(values, index, many)
  local out = {}
  for _, v in ipairs(values) do
    local found
    if is_array(v) then found = v[index < 0 and #v + index + 1 or index + 1] end
    if found ~= nil then
      out[#out + 1] = found
    elseif not many then
      fail("there is no item %d in %s", index, kind(v))
    end
  end
  return out
end

function steps.slice(values, range)
  local out = {}
  for _, v in ipairs(values) do
    if is_array(v) then
      local from, to = range[1] or 0, range[2] or #v
      if from < 0 then from = math.max(#v + from, 0) end
      if to < 0 then to = #v + to end
      for i = from + 1, math.min(to, #v) do out[#out + 1] = v[i] end
    end
  end
  return out
end

function steps.every(values)
  local out = {}
  for _, v in ipairs(values) do
    for _, one in ipairs(members(v)) do out[#out + 1] = one end
  end
  return out
end

function steps.deep(values, name)
  local out = {}
  local function look(v)
    if is_object(v) and v[name] ~= nil then out[#out + 1] = v[name] end
    for _, one in ipairs(members(v)) do
      if type(one) == "table" then look(one) end
    end
  end
  for _, v in ipairs(values) do look(v) end
  return out
end

local compare = {
  ["=="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
  ["~"] = function(a, b)
    return type(a) == "string" and a:lower():find(b:lower(), 1, true) ~= nil
  end,
}

function steps.filter(values, test)
  local out = {}
  for _, v in ipairs(values) do
    for _, one in ipairs(members(v)) do
      local is = one
      for _, name in ipairs(test.path) do
        is = is_object(is) and is[name]
        if is == nil then is = false break end
      end
      local fits
      if not test.op then
        fits = is and is ~= errand.null
      elseif test.op == "==" or test.op == "!=" or test.op == "~"
        or type(is) == type(test.value) then
        fits = compare[test.op](is, test.value)
      end
      if fits then out[#out + 1] = one end
    end
  end
  return out
end

-- ------------------------------------------------------------ the language

local function read_string(text, at)
  local quote = text:sub(at, at)
  local out, i = {}, at + 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == quote then return table.concat(out), i + 1 end
    if c == "\\" then
      i = i + 1
      c = text:sub(i, i)
    end
    out[#out + 1] = c
    i = i + 1
  end
  fail("the text that begins at byte %d has no end", at)
end

local function read_filter(text, at)
  local test, i = { path = {} }, at
  while true do
    local name, to = text:match("^%s*[.@]*([%w_-]+)()", i)
    if not name or #test.path > 20 then break end
    test.path[#test.path + 1] = name
    i = to
    if text:sub(i, i) ~= "." then break end
  end
  if #test.path == 0 then
    fail("[? at byte %d needs a member's name, such as [?age > 3]", at)
  end
  local op, to = text:match("^%s*([=!<>~]=?)%s*()", i)
  if op then
    if op == "=" then op = "==" end
    if not compare[op] then fail("'%s' compares nothing", op) end
    test.op, i = op, to
    local word, after = text:match("^([%w.+-]+)()", i)
    if text:find("^[\"']", i) then
      test.value, i = read_string(text, i)
    elseif word then
      i = after
      if word == "null" then test.value = errand.null
      elseif word == "true" then test.value = true
      elseif word == "false" then test.value = false
      else test.value = tonumber(word) or word end
    else
      fail("nothing to compare with at byte %d", i)
    end
    if op == "~" then test.value = tostring(test.value) end
  end
  local stop = text:match("^%s*%]()", i)
  if not stop then fail("a ] is missing at byte %d", i) end
  return test, stop
end

local function read_bracket(text, at)
  local number, to = text:match("^%s*(-?%d+)%s*%]()", at)
  if number then return "item", math.tointeger(tonumber(number)), to end
  local from, upto, stop = text:match("^%s*(-?%d*)%s*:%s*(-?%d*)%s*%]()", at)
  if from then
    return "slice", { tonumber(from), tonumber(upto) }, stop
  end
  stop = text:match("^%s*%*%s*%]()", at)
  if stop then return "every", nil, stop end
  stop = text:match("^%s*%?()", at)
  if stop then
    local test, after = read_filter(text, stop)
    return "filter", test, after
  end
  local quote = text:match("^%s*()[\"']", at)
  if quote then
    local name, after = read_string(text, quote)
    stop = text:match("^%s*%]()", after)
    if not stop then fail("a ] is missing at byte %d", after) end
    return "member", name, stop
  end
  fail("what stands in [ ] at byte %d is not known; there are: [0], [1:3], "
    .. "[*], [\"name\"], [?name > 1]", at)
end

local functions = {}

function functions.length(v)
  if type(v) == "string" then return utf8.len(v) or #v end
  return #members(v)
end

function functions.keys(v)
  if is_object(v) then return errand.array(sorted_keys(v)) end
  fail("keys wants an object, not %s", kind(v))
end

local function copy(list) return table.move(list, 1, #list, 1, {}) end

function functions.values(v) return errand.array(copy(members(v))) end

function functions.first(v) return members(v)[1] end

function functions.last(v)
  local list = members(v)
  return list[#list]
end

local function before(a, b)
  if type(a) ~= type(b) then return type(a) < type(b) end
  if type(a) == "number" or type(a) == "string" then return a < b end
  return false
end

function functions.sort(v)
  local list = copy(members(v))
  table.sort(list, before)
  return errand.array(list)
end

function functions.unique(v, ctx)
  local seen, out = {}, {}
  for _, one in ipairs(members(v)) do
    local key = type(one) == "table" and ctx.json.encode(one) or one
    if not seen[key] then
      seen[key] = true
      out[#out + 1] = one
    end
  end
  return errand.array(out)
end

local function numbers(v, name)
  local list = members(v)
  for _, one in ipairs(list) do
    if type(one) ~= "number" then
      fail("%s wants numbers; there is %s", name, kind(one))
    end
  end
  return list
end

function functions.sum(v)
  local sum = 0
  for _, one in ipairs(numbers(v, "sum")) do sum = sum + one end
  return sum
end

function functions.min(v)
  local least
  for _, one in ipairs(numbers(v, "min")) do
    if not least or one < least then least = one end
  end
  return least
end

function functions.max(v)
  local most
  for _, one in ipairs(numbers(v, "max")) do
    if not most or one > most then most = one end
  end
  return most
end

local function run_functions(value, text, ctx)
  for name in text:gmatch("[^|]+") do
    name = name:match("^%s*(.-)%s*$")
    if not functions[name] then
      fail("'%s' is not known; after a bar there are: length, keys, values, "
        .. "sort, unique, sum, min, max, first, last", name)
    end
    value = functions[name](value, ctx)
    if value == nil then value = errand.null end
  end
  return value
end

-- One value, or (a path that means many) a list of them.
local function query(value, path, ctx)
  local values, many, at = { value }, false, 1
  if path:sub(1, 1) == "$" then at = 2 end
  while at <= #path do
    local step, with, to
    local name, after = path:match("^%.%.([%w_-]+)()", at)
    if name then
      step, with, to = "deep", name, after
    else
      name, after = path:match("^%.([%w_\x80-\xff-]+)()", at)
      if not name and at == 1 then
        name, after = path:match("^([%a_\x80-\xff][%w_\x80-\xff-]*)()", at)
      end
      if name then step, with, to = "member", name, after end
    end
    local bar = path:match("^%s*|()", at)
      or (at == 1 and path:match("^%.%s*|()"))
    if not step and bar then
      local list = many and errand.array(values) or values[1]
      return run_functions(list, path:sub(bar), ctx)
    end
    if not step and path:sub(at, at) == "[" then
      step, with, to = read_bracket(path, at + 1)
    elseif not step and path:find("^%.?%*", at) then
      step, to = "every", path:match("^%.?%*()", at)
    elseif not step and path:find("^[%s.]*$", at) then
      break
    end
    if not step then
      fail("cannot read the path at byte %d: '%s'", at,
        path:sub(at, at + 20))
    end
    values = steps[step](values, with, many)
    many = many or (step ~= "member" and step ~= "item")
    at = to
  end
  if many then return errand.array(values) end
  return values[1]
end

return {
  name = "json_query",
  description = "Look into JSON, given as text or as a file, with a path: "
    .. ".name for a member, [0] for an item, [*] for all, ..name at any "
    .. "depth, [?price > 10] to select, and | length, keys, sort, unique, "
    .. "sum, min, max. Example: .items[?price > 10].name",
  parameters = {
    type = "object",
    properties = {
      path = { type = "string", description = "a JSON file to look into" },
      json = {
        type = "string",
        description = "JSON text to look into, instead of a file",
      },
      query = {
        type = "string",
        description = "what to take out, such as .items[0].name; a single "
          .. "dot takes all",
      },
    },
    required = { "query" },
    additionalProperties = false,
  },
  effect = "read",
  permissions = { read = { "." } },
  timeout_ms = 20000,
  run = function(args, ctx)
    if (args.path == nil) == (args.json == nil) then
      return nil, "give either path, a file, or json, the text itself"
    end
    local text = args.json or ctx.fs.read(args.path)
    local ok, value = pcall(ctx.json.decode, text)
    if not ok then
      return nil, ("%s is %s"):format(args.path or "json", value)
    end
    local result = query(value, args.query, ctx)
    local shown = ctx.json.encode(result)
    if #shown > SHOW_MOST then
      return nil, ("that is %s with %d bytes of JSON; ask for less, such as "
        .. "[0:10] or | keys"):format(kind(result), #shown)
    end
    return shown
  end,
}
