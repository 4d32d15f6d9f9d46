// Objects, arrays, closures, strings and regular expressions, with a garbage collection between.
function Tree(key) { this.key = key; this.left = null; this.right = null; }
function insert(tree, key) {
	if (!tree) return new Tree(key);
	if (key < tree.key) tree.left = insert(tree.left, key);
	else tree.right = insert(tree.right, key);
	return tree;
}
function walk(tree, visit) {
	if (!tree) return;
	walk(tree.left, visit);
	visit(tree.key);
	walk(tree.right, visit);
}
var tree = null, seed = 42;
for (var i = 0; i < 3000; i++) {
	seed = (seed * 1103 + 12345) % 65537;
	tree = insert(tree, seed);
}
var keys = [];
walk(tree, function (key) { keys.push(key); });
print(keys.length, keys[0], keys[keys.length - 1]);
var text = keys.join(" ");
print(text.length, text.match(/\b\d*7\b/g).length, text.replace(/(\d)(\d)/g, "$2$1").length);
var words = {};
for (var j = 0; j < keys.length; j++) words["k" + keys[j] % 100] = { count: j, name: "n" + j };
print(Object.keys(words).length, JSON.stringify(words.k7), JSON.parse("[1,{\"a\":[2,3]}]")[1].a[1]);
gc();
try { undefinedFunction(); } catch (e) { print(e); }
var closures = [];
for (var k = 0; k < 500; k++) closures.push((function (n) { return function () { return n; }; })(k));
print(closures[499](), new Date(0).toISOString());
