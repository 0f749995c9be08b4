-- write_file: a text file, new, anew or longer.

return {
  name = "write_file",
  description = "Write a text file of the working folder: a new one, or the "
    .. "whole text of an old one anew, or more text at its end. To change "
    .. "a part of a file use edit_file.",
  parameters = {
    type = "object",
    properties = {
      path = {
        type = "string",
        description = "the file, relative to the working folder; missing "
          .. "folders are made",
      },
      text = { type = "string", description = "the text to write" },
      mode = {
        type = "string",
        enum = { "create", "overwrite", "append" },
        description = "create: the file must not be there yet (default); "
          .. "overwrite: replace all of it; append: add to its end",
      },
    },
    required = { "path", "text" },
    additionalProperties = false,
  },
  effect = "unsafe",
  permissions = { read = { "." }, write = { "." } },
  run = function(args, ctx)
    local mode = args.mode or "create"
    local there = ctx.fs.stat(args.path)
    if there and there.type == "folder" then
      return nil, ("'%s' is a folder"):format(args.path)
    end
    if there and mode == "create" then
      return nil, ("'%s' is there already, with %d bytes; use mode = "
        .. "\"overwrite\" to replace it, or edit_file"):format(args.path,
        there.size)
    end
    local folder = args.path:match("^(.*)/[^/]*$")
    if folder and folder ~= "" and not ctx.fs.stat(folder) then
      ctx.fs.mkdir(folder)
    end
    if mode == "append" then
      ctx.fs.append(args.path, args.text)
      return ("appended %d bytes to %s"):format(#args.text, args.path)
    end
    ctx.fs.write(args.path, args.text)
    return ("wrote %d bytes to %s%s"):format(#args.text, args.path,
      there and (", which had %d"):format(there.size) or "")
  end,
}
