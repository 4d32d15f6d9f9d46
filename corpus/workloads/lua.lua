-- Tables, strings, closures and coroutines. It leaves with everything alive.
local function words(n)
  local seed, list = 42, {}
  for i = 1, n do
    seed = (seed * 1103515245 + 12345) % 2147483648
    list[i] = string.format("w%x", seed % 20000)
  end
  return list
end

local Node = {}
Node.__index = Node
function Node.insert(tree, key)
  if not tree then return setmetatable({ key = key, count = 1 }, Node) end
  if key == tree.key then tree.count = tree.count + 1
  elseif key < tree.key then tree.left = Node.insert(tree.left, key)
  else tree.right = Node.insert(tree.right, key) end
  return tree
end

local function walk(tree)
  return coroutine.wrap(function()
    local function visit(node)
      if node then
        visit(node.left)
        coroutine.yield(node)
        visit(node.right)
      end
    end
    visit(tree)
  end)
end

local tree
for _, word in ipairs(words(200000)) do tree = Node.insert(tree, word) end
local lines, total = {}, 0
for node in walk(tree) do
  lines[#lines + 1] = node.key:upper() .. "=" .. node.count
  total = total + node.count
end
print(#lines, total, lines[1], lines[#lines])

local adders = {}
for i = 1, 2000 do adders[i] = function(x) return x + i end end
local sum = 0
for i, add in ipairs(adders) do sum = add(sum) % 1000003 end
print(sum, table.concat(lines, ","):gsub("%d+", ""):len(), select("#", table.unpack(adders, 1, 100)))

local source = {}
for i = 1, 500 do source[i] = "local function f" .. i .. "(a, b) return a * b + " .. i .. " end" end
for round = 1, 20 do assert(load(table.concat(source, " ", 1, 150)))() end
print(select("#", pcall(error, { code = 7 })))
print(#string.rep("x", 100000, "yz"))
os.exit(true)
