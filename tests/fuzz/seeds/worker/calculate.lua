-- calculate: arithmetic that a model would get wrong.
--
-- Integers are exact, however large (up to 10,000 digits); everything else is
-- floating point, shown with 15 digits. A whole number keeps its exactness
-- through + - * // % ^ and through / when it divides evenly.

local MAX_DIGITS = 10000
local MAX_DEPTH = 100
local BASE, BASE_DIGITS = 10000000, 7 -- of a limb; products fit 64 bits

local function refuse(text, ...)
  error({ message = text:format(...) }, 0)
end

-- Large integers: { neg = bool, limbs from the least on }. A value that fits
-- a Lua integer is always one, so a number has one form.

local function to_limbs(n)
  if type(n) == "table" then return n end
  local digits = ("%d"):format(n)
  local big = { neg = digits:sub(1, 1) == "-" }
  digits = digits:gsub("^%-", "")
  for at = #digits, 1, -BASE_DIGITS do
    big[#big + 1] = tonumber(digits:sub(math.max(1, at - 6), at))
  end
  return big
end

local function big_text(big)
  local parts = { big.neg and "-" or "", ("%d"):format(big[#big]) }
  for i = #big - 1, 1, -1 do parts[#parts + 1] = ("%07d"):format(big[i]) end
  return table.concat(parts)
end

-- Drop leading zeros; back to a Lua integer where it fits.
local function shrink(big)
  while #big > 1 and big[#big] == 0 do big[#big] = nil end
  if #big <= 3 then
    local n = math.tointeger(tonumber(big_text(big)))
    if n and math.type(tonumber(big_text(big))) == "integer" then return n end
  end
  if (#big - 1) * BASE_DIGITS > MAX_DIGITS then
    refuse("the result has more than %d digits", MAX_DIGITS)
  end
  return big
end

local function compare_size(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then return a[i] < b[i] and -1 or 1 end
  end
  return 0
end

local function add_size(a, b)
  local sum, carry = {}, 0
  for i = 1, math.max(#a, #b) do
    local limb = (a[i] or 0) + (b[i] or 0) + carry
    carry = limb // BASE
    sum[i] = limb % BASE
  end
  if carry > 0 then sum[#sum + 1] = carry end
  return sum
end

local function subtract_size(a, b) -- a is not smaller
  local rest, borrow = {}, 0
  for i = 1, #a do
    local limb = a[i] - (b[i] or 0) - borrow
    borrow = limb < 0 and 1 or 0
    rest[i] = limb + borrow * BASE
  end
  return rest
end

local function big_add(a, b, negate)
  a, b = to_limbs(a), to_limbs(b)
  local b_neg = b.neg ~= (negate or false)
  local sum
  if a.neg == b_neg then
    sum = add_size(a, b)
    sum.neg = a.neg
  elseif compare_size(a, b) >= 0 then
    sum = subtract_size(a, b)
    sum.neg = a.neg
  else
    sum = subtract_size(b, a)
    sum.neg = b_neg
  end
  return shrink(sum)
end

local function big_multiply(a, b)
  a, b = to_limbs(a), to_limbs(b)
  if (#a + #b - 2) * BASE_DIGITS > MAX_DIGITS then
    refuse("the result has more than %d digits", MAX_DIGITS)
  end
  local product = { neg = a.neg ~= b.neg }
  for i = 1, #a + #b do product[i] = 0 end
  for i = 1, #a do
    local carry, limb = 0, a[i]
    for j = 1, #b do
      local n = product[i + j - 1] + limb * b[j] + carry
      carry = n // BASE
      product[i + j - 1] = n % BASE
    end
    product[i + #b] = carry
  end
  return shrink(product)
end

-- Long division of sizes: quotient and rest, both without sign. Each limb of
-- the quotient is guessed from the leading limbs, then put right.
local function divide_size(a, b)
  local quotient, rest = {}, { 0 }
  local top = b[#b] * BASE + (b[#b - 1] or 0)
  for i = #a, 1, -1 do
    table.insert(rest, 1, a[i])
    while #rest > 1 and rest[#rest] == 0 do rest[#rest] = nil end
    local n, guess = #b, 0
    if #rest >= n then
      local lead = 0
      for j = #rest, math.max(n - 1, 1), -1 do
        lead = lead * 1.0 * BASE + rest[j]
      end
      guess = math.min(BASE - 1, math.floor(lead / (n > 1 and top or b[1])))
    end
    local part = { 0 }
    local function try()
      local carry = 0
      part = {}
      for j = 1, n do
        local limb = b[j] * guess + carry
        carry = limb // BASE
        part[j] = limb % BASE
      end
      part[n + 1] = carry
      while #part > 1 and part[#part] == 0 do part[#part] = nil end
    end
    try()
    while compare_size(part, rest) > 0 do guess = guess - 1 try() end
    rest = subtract_size(rest, part)
    while #rest > 1 and rest[#rest] == 0 do rest[#rest] = nil end
    while compare_size(rest, b) >= 0 do
      guess = guess + 1
      rest = subtract_size(rest, b)
      while #rest > 1 and rest[#rest] == 0 do rest[#rest] = nil end
    end
    quotient[i] = guess
  end
  return quotient, rest
end

-- Floored, as Lua's // and %.
local function big_divide(a, b)
  a, b = to_limbs(a), to_limbs(b)
  local quotient, rest = divide_size(a, b)
  quotient.neg, rest.neg = a.neg ~= b.neg, a.neg
  local q, r = shrink(quotient), shrink(rest)
  if r ~= 0 and a.neg ~= b.neg then
    q, r = big_add(q, 1, true), big_add(r, b)
  end
  return q, r
end

-- Numbers: integers (small or large) and floats.

local function is_exact(n)
  return type(n) == "table" or math.type(n) == "integer"
end

local function is_negative(n)
  if type(n) == "table" then return n.neg end
  return n < 0
end

local function to_float(n)
  local f = type(n) == "table" and tonumber(big_text(n) .. ".0") or n + 0.0
  if f == math.huge or f == -math.huge then
    refuse("a number is too large for anything but whole-number arithmetic")
  end
  return f
end

local function checked(f)
  if f ~= f then refuse("the result is not a number") end
  if f == math.huge or f == -math.huge then
    refuse("the result is too large")
  end
  return f
end

local function fits(f) return f > -4e18 and f < 4e18 end

local function add(a, b)
  if not (is_exact(a) and is_exact(b)) then
    return checked(to_float(a) + to_float(b))
  end
  if type(a) == "number" and type(b) == "number" and fits(a + 0.0 + b) then
    return a + b
  end
  return big_add(a, b)
end

local function subtract(a, b)
  if not (is_exact(a) and is_exact(b)) then
    return checked(to_float(a) - to_float(b))
  end
  if type(a) == "number" and type(b) == "number" and fits(a + 0.0 - b) then
    return a - b
  end
  return big_add(a, b, true)
end

local function multiply(a, b)
  if not (is_exact(a) and is_exact(b)) then
    return checked(to_float(a) * to_float(b))
  end
  if type(a) == "number" and type(b) == "number" and fits((a + 0.0) * b) then
    return a * b
  end
  return big_multiply(a, b)
end

-- Quotient and rest, floored.
local function divide_floor(a, b)
  if b == 0 then refuse("division by zero") end
  if not (is_exact(a) and is_exact(b)) then
    a, b = to_float(a), to_float(b)
    return checked(a // b), checked(a % b)
  end
  if type(a) == "number" and type(b) == "number" and b ~= -1 then
    return a // b, a % b
  end
  return big_divide(a, b)
end

local function remainder(a, b)
  local _, rest = divide_floor(a, b)
  return rest
end

local function divide(a, b)
  if b == 0 then refuse("division by zero") end
  if is_exact(a) and is_exact(b) then
    local quotient, rest = divide_floor(a, b)
    if rest == 0 then return quotient end
  end
  return checked(to_float(a) / to_float(b))
end

local function power(a, b)
  if not is_exact(a) or not is_exact(b) or is_negative(b) then
    if a == 0 and is_negative(b) then refuse("division by zero") end
    return checked(to_float(a) ^ to_float(b))
  end
  if a == 0 or a == 1 or b == 0 then return b == 0 and 1 or a end
  if type(b) == "table" and a ~= -1 then
    refuse("the result has more than %d digits", MAX_DIGITS)
  end
  if a == -1 then
    local _, rest = divide_floor(b, 2)
    return rest == 0 and 1 or -1
  end
  local size = type(a) == "table" and #big_text(a)
    or math.log(math.abs(a + 0.0), 10)
  if size * b > MAX_DIGITS + BASE_DIGITS then
    refuse("the result has more than %d digits", MAX_DIGITS)
  end
  local result = 1
  while true do
    if b % 2 == 1 then result = multiply(result, a) end
    b = b // 2
    if b == 0 then return result end
    a = multiply(a, a)
  end
end

local function negate(n) return subtract(0, n) end

local function less(a, b)
  if is_exact(a) and is_exact(b) then return is_negative(subtract(a, b)) end
  return to_float(a) < to_float(b)
end

-- Functions and constants.

local function whole(n, name)
  if is_exact(n) then return n end
  local i = math.tointeger(n)
  if not i then refuse("%s needs whole numbers", name) end
  return i
end

-- A float that is whole becomes exact again.
local function to_whole(f)
  checked(f)
  local i = math.tointeger(f)
  if i then return i end
  return f
end

-- An integer's root if it is one, found by Newton's steps.
local function exact_root(n)
  local guess
  if type(n) == "number" then
    guess = math.floor(math.sqrt(n)) + 1
  else
    guess = power(10, (#big_text(n) + 1) // 2)
  end
  while true do
    local better = divide_floor(add(guess, (divide_floor(n, guess))), 2)
    if not less(better, guess) then break end
    guess = better
  end
  if subtract(multiply(guess, guess), n) == 0 then return guess end
end

local function root(n)
  if is_negative(n) then refuse("sqrt of a negative number") end
  if n == 0 then return 0 end
  return is_exact(n) and exact_root(n) or math.sqrt(to_float(n))
end

local function factorial(n)
  n = whole(n, "factorial")
  if is_negative(n) then refuse("factorial of a negative number") end
  if type(n) == "table" or n > 3248 then
    refuse("factorial of more than 3248 has more than %d digits", MAX_DIGITS)
  end
  local result = 1
  for i = 2, n do result = multiply(result, i) end
  return result
end

local function gcd(a, b)
  a, b = whole(a, "gcd"), whole(b, "gcd")
  while b ~= 0 do
    local _, rest = divide_floor(a, b)
    a, b = b, rest
  end
  return is_negative(a) and negate(a) or a
end

local function round(n, digits)
  digits = digits and whole(digits, "round") or 0
  if type(digits) == "table" or digits > 15 or digits < -300 then
    refuse("round takes -300 to 15 digits")
  end
  if is_exact(n) then
    if digits >= 0 then return n end
    local unit = power(10, -digits)
    local size = is_negative(n) and negate(n) or n
    local twice = add(multiply(size, 2), unit)
    local units = divide_floor(twice, multiply(unit, 2))
    local near = multiply(units, unit)
    return is_negative(n) and negate(near) or near
  end
  if digits > 0 then -- by its decimal text, as a person would
    return tonumber(("%." .. digits .. "f"):format(n + n * 2 ^ -53))
  end
  local near = to_whole(n < 0 and math.ceil(n - 0.5) or math.floor(n + 0.5))
  return digits < 0 and round(near, digits) or near
end

local function real(f) -- a function of one float
  return function(n) return checked(f(to_float(n))) end
end

local function logarithm(n, base)
  if n == 0 or is_negative(n) then
    refuse("log of a number that is not positive")
  end
  if not base then return math.log(to_float(n)) end
  if base == 1 or base == 0 or is_negative(base) then
    refuse("no logarithm has such a base")
  end
  if type(n) == "table" then -- larger than a float may be
    local text = big_text(n)
    local lead = tonumber("0." .. text:sub(1, 17))
    local ln = math.log(lead) + #text * math.log(10)
    return ln / math.log(to_float(base))
  end
  return checked(math.log(to_float(n), to_float(base)))
end

local function rounded(f) -- floor, ceil
  return function(n) return is_exact(n) and n or to_whole(f(n)) end
end

local function best(better)
  return function(...)
    local found
    for _, n in ipairs({ ... }) do
      if not found or better(n, found) then found = n end
    end
    return found
  end
end

local function total(...)
  local result = 0
  for _, n in ipairs({ ... }) do result = add(result, n) end
  return result
end

local MANY = 1000
local functions = { -- name = { fewest, most arguments, function }
  abs = { 1, 1, function(n) return is_negative(n) and negate(n) or n end },
  ceil = { 1, 1, rounded(math.ceil) },
  floor = { 1, 1, rounded(math.floor) },
  trunc = { 1, 1, function(n)
    if is_exact(n) then return n end
    return to_whole(n < 0 and math.ceil(n) or math.floor(n))
  end },
  round = { 1, 2, round },
  sqrt = { 1, 1, root },
  cbrt = { 1, 1, function(n)
    local f = to_float(n)
    local r = (f < 0 and -1 or 1) * math.abs(f) ^ (1 / 3)
    local near = math.tointeger(math.floor(r + 0.5))
    if near and is_exact(n) and subtract(power(near, 3), n) == 0 then
      return near
    end
    return checked(r)
  end },
  exp = { 1, 1, real(math.exp) },
  ln = { 1, 1, logarithm },
  log = { 1, 2, function(n, base) return logarithm(n, base) end },
  log10 = { 1, 1, function(n) return logarithm(n, 10) end },
  log2 = { 1, 1, function(n) return logarithm(n, 2) end },
  sin = { 1, 1, real(math.sin) },
  cos = { 1, 1, real(math.cos) },
  tan = { 1, 1, real(math.tan) },
  asin = { 1, 1, real(math.asin) },
  acos = { 1, 1, real(math.acos) },
  atan = { 1, 2, function(y, x)
    return math.atan(to_float(y), x and to_float(x) or 1)
  end },
  deg = { 1, 1, real(math.deg) },
  rad = { 1, 1, real(math.rad) },
  min = { 1, MANY, best(less) },
  max = { 1, MANY, best(function(a, b) return less(b, a) end) },
  sum = { 1, MANY, total },
  avg = { 1, MANY, function(...)
    return divide(total(...), select("#", ...))
  end },
  factorial = { 1, 1, factorial },
  gcd = { 2, 2, gcd },
  lcm = { 2, 2, function(a, b)
    local common = gcd(a, b)
    if common == 0 then return 0 end
    local n = multiply((divide_floor(whole(a, "lcm"), common)), whole(b, "lcm"))
    return is_negative(n) and negate(n) or n
  end },
}
functions.mean = functions.avg
functions.pow = { 2, 2, power }
functions.mod = { 2, 2, remainder }

local constants = { pi = math.pi, tau = 2 * math.pi, e = math.exp(1) }

-- Text to tokens.

local signs = {
  ["×"] = "*", ["·"] = "*", ["÷"] = "/", ["−"] = "-",
  ["π"] = "pi", ["√"] = "sqrt",
}

local function read_number(text, at)
  local from, to = text:find("^0[xX]%x+", at)
  if not from then
    from, to = text:find("^%d+%.?%d*", at)
    if not from then from, to = text:find("^%.%d+", at) end
    local _, exponent = text:find("^[eE][+-]?%d+", to + 1)
    to = exponent or to
  end
  local digits = text:sub(from, to)
  if text:find("^[%w_.]", to + 1) then
    refuse("'%s' at %d is not a number", text:match("^[%w_.]+", at), at)
  end
  if digits:find("^%d+$") then
    if #digits > MAX_DIGITS then
      refuse("a number has more than %d digits", MAX_DIGITS)
    end
    local big = {}
    for i = #digits, 1, -BASE_DIGITS do
      big[#big + 1] = tonumber(digits:sub(math.max(1, i - 6), i))
    end
    big.neg = false
    return shrink(big), to + 1
  end
  if digits:find("^0[xX]") and #digits > 17 then
    refuse("'%s' is too large", digits)
  end
  return checked(tonumber(digits)), to + 1
end

local function tokens_of(text)
  local tokens, at = {}, 1
  for from, to in pairs(signs) do text = text:gsub(from, " " .. to .. " ") end
  while true do
    at = text:find("%S", at)
    if not at then break end
    local token = { at = at }
    if text:find("^%.?%d", at) then
      token.kind = "number"
      token.value, at = read_number(text, at)
    elseif text:find("^[%a_]", at) then
      token.kind, token.text = "name", text:match("^[%w_]+", at)
      at = at + #token.text
    else
      token.kind = "sign"
      token.text = text:match("^//", at) or text:match("^%*%*", at)
        or text:match("^[%(%)%+%-%*/%%%^,!]", at)
      if not token.text then
        refuse("'%s' at %d is not part of an expression",
          text:match(utf8.charpattern, at), at)
      end
      at = at + #token.text
      if token.text == "**" then token.text = "^" end
    end
    tokens[#tokens + 1] = token
  end
  tokens[#tokens + 1] = { kind = "end", at = #text + 1 }
  return tokens
end

-- Tokens to a value, by precedence: + -, then * / // %, then unary minus,
-- then ^ (which binds to the right), then !.

local levels = {
  { ["+"] = add, ["-"] = subtract },
  {
    ["*"] = multiply,
    ["/"] = divide,
    ["//"] = function(a, b) return (divide_floor(a, b)) end,
    ["%"] = remainder,
  },
}

local parse -- parse(p, level)

local function show(token)
  if token.kind == "end" then return "the end" end
  if token.kind == "number" then return "a number at " .. token.at end
  return ("'%s' at %d"):format(token.text, token.at)
end

local function peek(p) return p.tokens[p.at] end

local function accept(p, text)
  local token = peek(p)
  if token.kind ~= "sign" or token.text ~= text then return false end
  p.at = p.at + 1
  return true
end

local function expect(p, text)
  if not accept(p, text) then
    refuse("expected '%s', found %s", text, show(peek(p)))
  end
end

local function call(p, token)
  local f = functions[token.text:lower()]
  local args = {}
  if not f then refuse("there is no function '%s'", token.text) end
  if not accept(p, ")") then
    repeat args[#args + 1] = parse(p, 1) until not accept(p, ",")
    expect(p, ")")
  end
  if #args < f[1] or #args > f[2] then
    local range = f[1] == f[2] and f[1] or f[1] .. " to " .. f[2]
    refuse("%s takes %s value%s, not %d", token.text, range,
      range == 1 and "" or "s", #args)
  end
  return f[3](table.unpack(args))
end

local function atom(p)
  local token = peek(p)
  p.at = p.at + 1
  if token.kind == "number" then return token.value end
  if token.kind == "name" then
    if accept(p, "(") then return call(p, token) end
    local value = constants[token.text:lower()]
    if value then return value end
    if functions[token.text:lower()] then
      refuse("write %s(...)", token.text)
    end
    refuse("'%s' at %d is not known; write numbers, or pi, e, tau",
      token.text, token.at)
  end
  if token.kind == "sign" and token.text == "(" then
    local value = parse(p, 1)
    expect(p, ")")
    return value
  end
  refuse("expected a number, found %s", show(token))
end

local function postfix(p)
  local value = atom(p)
  while accept(p, "!") do value = factorial(value) end
  return value
end

local function unary(p)
  p.depth = p.depth + 1
  if p.depth > MAX_DEPTH then refuse("nested deeper than %d", MAX_DEPTH) end
  local value
  if accept(p, "-") then
    value = negate(unary(p))
  elseif accept(p, "+") then
    value = unary(p)
  else
    value = postfix(p)
    if accept(p, "^") then value = power(value, unary(p)) end
  end
  p.depth = p.depth - 1
  return value
end

function parse(p, level)
  local operators = levels[level]
  if not operators then return unary(p) end
  local value = parse(p, level + 1)
  while true do
    local token = peek(p)
    local operator = token.kind == "sign" and operators[token.text]
    if not operator then return value end
    p.at = p.at + 1
    local after = peek(p)
    if token.text == "%" and (after.kind == "end" or after.text == ")") then
      refuse("%% is the remainder; for 20 percent of 50 write 50 * 20 / 100")
    end
    value = operator(value, parse(p, level + 1))
  end
end

local function evaluate(text)
  local p = { tokens = tokens_of(text), at = 1, depth = 0 }
  if peek(p).kind == "end" then refuse("the expression is empty") end
  local value = parse(p, 1)
  local token = peek(p)
  if token.text == "," then
    refuse("unexpected ',' at %d; write numbers without separators: 1000",
      token.at)
  elseif token.kind ~= "end" then
    refuse("unexpected %s; an operator is missing", show(token))
  end
  return value
end

local function show_value(n)
  if type(n) == "table" then return big_text(n) end
  if math.type(n) == "integer" then return ("%d"):format(n) end
  if n == math.floor(n) and math.abs(n) < 1e15 then
    return ("%d"):format(math.tointeger(n))
  end
  return ("%.15g"):format(n)
end

return {
  name = "calculate",
  description = "Evaluate an arithmetic expression exactly. Use it for every "
    .. "calculation beyond the trivial. Operators: + - * / // (floored "
    .. "division) % (remainder) ^ (power) ! (factorial), parentheses. "
    .. "Functions: abs ceil floor trunc round(x, digits) sqrt cbrt exp ln "
    .. "log(x, base) log10 log2 sin cos tan asin acos atan(y, x) deg rad min "
    .. "max sum avg factorial gcd lcm. Constants: pi e tau. Angles in radians.",
  parameters = {
    type = "object",
    properties = {
      expression = {
        type = "string",
        description = "the expression, for example (3 + 4.5) * 2^10 / sqrt(16)",
        maxLength = 20000,
      },
    },
    required = { "expression" },
    additionalProperties = false,
  },
  effect = "pure",
  timeout_ms = 5000,
  run = function(args)
    return show_value(evaluate(args.expression))
  end,
}
