-- now: what time it is. Models do not know, and guess.

local function local_offset(at) -- minutes east of UTC
  local sign, hours, minutes = os.date("%z", at):match("^([+-])(%d%d)(%d%d)$")
  if not sign then return 0 end
  local total = tonumber(hours) * 60 + tonumber(minutes)
  return sign == "-" and -total or total
end

-- "+02:00", "+0200", "-5", "UTC", "Z"
local function parse_offset(text)
  local bare = text:upper():gsub("^UTC", ""):gsub("^GMT", ""):gsub("^Z$", "")
  if bare == "" then return 0 end
  local sign, hours, minutes = bare:match("^([+-])(%d%d?):?(%d?%d?)$")
  if not sign or #minutes == 1 then return end
  local total = tonumber(hours) * 60 + (tonumber(minutes) or 0)
  if total > 14 * 60 or (tonumber(minutes) or 0) > 59 then return end
  return sign == "-" and -total or total
end

local function offset_text(minutes)
  if minutes == 0 then return "Z" end
  local size = math.abs(minutes)
  local sign = minutes < 0 and "-" or "+"
  return ("%s%02d:%02d"):format(sign, size // 60, size % 60)
end

return {
  name = "now",
  description = "The current date, time and weekday. Use it whenever the "
    .. "answer depends on today or on the time.",
  parameters = {
    type = "object",
    properties = {
      offset = {
        type = "string",
        description = "offset from UTC, such as +02:00, -05:30 or UTC; "
          .. "without it the time zone of this machine",
      },
    },
    required = {},
    additionalProperties = false,
  },
  effect = "read",
  polls = true,
  timeout_ms = 5000,
  run = function(args)
    local at = os.time()
    local minutes = local_offset(at)
    if args.offset then
      minutes = parse_offset(args.offset)
      if not minutes then
        return nil, ("'%s' is not an offset from UTC; write it like +02:00, "
          .. "-05:30 or UTC"):format(args.offset)
      end
    end
    local there = at + minutes * 60
    return {
      time = os.date("!%Y-%m-%dT%H:%M:%S", there) .. offset_text(minutes),
      weekday = os.date("!%A", there),
      unix = at,
    }
  end,
}
