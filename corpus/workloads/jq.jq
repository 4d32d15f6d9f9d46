# Objects by the thousand, groups, regular-expression-free text, paths and updates.
def tree(n): if n == 0 then null else {key: n, left: tree(n - 1), right: (if n % 3 == 0 then tree(n - 1) else null end)} end;
[range(3000) | {id: ., name: "n\(. % 97)", tags: [. % 7, (. * 31) % 11]}]
| . as $all
| {
    groups: (group_by(.name) | length),
    sum: (map(.tags | add) | add),
    names: ([.[].name] | unique | join(",") | length),
    sorted: (sort_by(.tags[1], -.id) | .[0:3] | map(.id)),
    paths: ([paths] | length),
    updated: (map(select(.id % 500 == 0) | .tags |= map(. + 1) | del(.name))),
    tree: (tree(12) | [.. | .key? // empty] | length),
    text: ($all | tojson | length),
    parsed: ($all | tojson | fromjson | .[2999].name),
    reduced: (reduce .[] as $e ({}; .[$e.name] += $e.id) | to_entries | max_by(.value) | .key),
    limited: [limit(3; $all[] | .id * .id)],
    caught: (try error("caught") catch .)
  }
