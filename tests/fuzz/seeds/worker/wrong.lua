return {
  name = "x", desciption = 1,
  permissions = { red = { "." }, kv = 1, net = { "a b" } },
  effect = "harm", timeout_ms = 0.5, run = 5,
}
