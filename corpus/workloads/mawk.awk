# Words and their neighbours in associative arrays, regular expressions, and strings that grow.
function longest(words,    word, best) {
    for (word in words) if (length(word) > length(best) || length(word) == length(best) && word < best) best = word
    return best
}
{
    n = split($0, parts, /[ \t]+/)
    for (i = 1; i <= n; i++) {
        count[parts[i]]++
        if (i > 1) pair[parts[i - 1], parts[i]]++
    }
    if ($0 ~ /^[aeiou].*[^aeiou]$/) vowel++
    gsub(/th/, "TH")
    if (NR % 100 == 0) line = line substr($0, 1, 3)
}
END {
    for (word in count) words++
    for (both in pair) pairs++
    print NR, words, pairs, vowel, length(line), longest(count)
    printf "%s %d\n", toupper(substr(line, 1, 30)), count["the"]
}
