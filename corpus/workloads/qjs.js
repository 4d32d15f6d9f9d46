// Objects, strings, maps, typed arrays, regular expressions, generators and JSON. It leaves with everything alive.
import * as std from "qjs:std";

function* numbers(count) {
  let seed = 42;
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    yield seed;
  }
}

class Point {
  constructor(x, y) { this.x = x; this.y = y; }
  add(other) { return new Point(this.x + other.x, this.y + other.y); }
}

const points = [];
for (const n of numbers(100000)) points.push(new Point(n % 100, n % 77));
const sum = points.reduce((a, b) => a.add(b), new Point(0, 0));
print(sum.x, sum.y);

const counts = new Map();
for (const n of numbers(200000)) {
  const key = `k${n % 997}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
print(counts.size, [...counts.keys()].sort()[0], counts.get("k1"));

const json = JSON.stringify(points.slice(0, 20000));
const back = JSON.parse(json);
print(json.length, back.length, back[7].x);

const text = json.replace(/"x":(\d+)/g, (_, digits) => `"x":${digits.length}`);
print(text.length, text.split(",").filter((part) => /y":1\d/.test(part)).length);

const data = new Float64Array(10000).map((_, i) => Math.sqrt(i));
print(data.subarray(100, 200).reduce((a, b) => a + b).toFixed(6), (2n ** 300n).toString().length);

const thrown = [];
for (let i = 0; i < 5000; i++) {
  try { null.property; } catch (error) { thrown.push(error.name); }
}
print(thrown.length, new Set(thrown).size);
std.exit(0);
