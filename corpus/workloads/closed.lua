-- Ends in the ordinary way: the state is closed and every block freed.
local matrix = {}
for i = 1, 120 do
  matrix[i] = {}
  for j = 1, 120 do matrix[i][j] = (i * j) % 7 end
end
local product = {}
for i = 1, 120 do
  product[i] = {}
  for j = 1, 120 do
    local sum = 0
    for k = 1, 120 do sum = sum + matrix[i][k] * matrix[k][j] end
    product[i][j] = sum
  end
end
print(product[1][1], product[60][60], product[120][120])
