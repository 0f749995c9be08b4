-- http_fetch: a web page as text, or what an address answers.

local PAGE = 20000 -- bytes of one answer

local function is_continuation(text, at)
  local byte = text:byte(at)
  return byte and (byte & 0xC0) == 0x80
end

local function part_of(text, start)
  if start > #text then
    return nil, ("start %d is behind the end: there are %d bytes"):format(
      start, #text)
  end
  while start > 1 and is_continuation(text, start) do start = start - 1 end
  local stop = math.min(start + PAGE - 1, #text)
  while stop < #text and is_continuation(text, stop + 1) do
    stop = stop - 1
  end
  local part = text:sub(start, stop)
  if stop < #text then
    part = part .. ("\n(%d bytes more: call again with start = %d)"):format(
      #text - stop, stop + 1)
  end
  return part
end

-- The answer as text, and its title; nil and why not.
local function readable(ctx, reply, raw)
  local type = (reply.headers["content-type"] or ""):lower()
  local body = reply.body
  if body == "" then return "(the answer is empty)" end
  local looks_html = body:sub(1, 1000):lower():find("<html", 1, true)
  if not raw and (type:find("html", 1, true)
    or (type == "" and looks_html)) then
    return ctx.text.from_html(body, { base = reply.url, type = type })
  end
  if type:find("^image/") or type:find("^audio/") or type:find("^video/")
    or type:find("zip") or type:find("octet%-stream")
    or type:find("pdf") or (type == "" and body:find("\0", 1, true)) then
    return nil, ("that is no text but %s, %d bytes"):format(
      type ~= "" and type or "binary data", #body)
  end
  return ctx.text.to_utf8(body, type)
end

return {
  name = "http_fetch",
  description = "Fetch a web page or a file from a URL and return its text. "
    .. "HTML becomes readable text with numbered links. Long pages come in "
    .. "parts: the answer then says which start to use next.",
  parameters = {
    type = "object",
    properties = {
      url = {
        type = "string",
        description = "the whole address, such as https://example.com/page",
      },
      start = {
        type = "integer",
        minimum = 1,
        description = "byte of the text to begin at; default 1",
      },
      raw = {
        type = "boolean",
        description = "true: HTML as it is, not as text; default false",
      },
    },
    required = { "url" },
    additionalProperties = false,
  },
  effect = "read",
  permissions = { net = { "*" } },
  timeout_ms = 60000,
  run = function(args, ctx)
    local url = args.url
    if not url:find("^%a[%w+.-]*:") then url = "https://" .. url end
    local reply = ctx.http.get(url, {
      headers = { accept = "text/html, text/*;q=0.9, */*;q=0.5" },
      max_bytes = 4 * 1024 * 1024,
    })
    local text, title, more = readable(ctx, reply, args.raw)
    if reply.status >= 400 then
      return nil, ("%s answered with status %d: %s"):format(reply.url,
        reply.status, (text or ""):sub(1, 500))
    end
    if not text then return nil, ("%s: %s"):format(reply.url, title) end
    local part, wrong = part_of(text, args.start or 1)
    if not part then return nil, wrong end
    local head = {}
    if title and title ~= "" then head[1] = "Title: " .. title end
    if reply.url ~= url then head[#head + 1] = "URL: " .. reply.url end
    if reply.status ~= 200 then
      head[#head + 1] = "Status: " .. reply.status
    end
    if more then head[#head + 1] = "(the page is cut after 1 MiB of text)" end
    if #head > 0 then part = table.concat(head, "\n") .. "\n\n" .. part end
    return part
  end,
}
