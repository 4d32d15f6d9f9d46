# Hashes of arrays, objects, closures, regular expressions, sorting, formats, string building and eval; no module.
package Shape;
sub new { my ($class, %field) = @_; return bless {%field}, $class }
sub area { my $self = shift; return $self->{w} * $self->{h} }
package Round;
our @ISA = ('Shape');
sub area { my $self = shift; return 3 * $self->{w} ** 2 }
package main;

my ($seed, %words, @shapes, @pending) = (42);
sub random { $seed = ($seed * 1103 + 12345) % 65537; return $seed % $_[0] }
for my $i (1 .. 4000) {
    my $word = join '', map { ('a' .. 'z')[random(26)] } 0 .. random(6);
    push @{$words{$word}}, $i;
    push @shapes, ($i % 3 ? 'Shape' : 'Round')->new(w => random(20), h => random(30), name => $word) if $i % 2;
}
my $area = 0;
$area += $_->area for @shapes;
my @common = sort { @{$words{$b}} <=> @{$words{$a}} || $a cmp $b } keys %words;
print scalar(keys %words), " words, area $area, most common @common[0 .. 4]\n";
my $text = join ' ', sort keys %words;
my $vowels = () = $text =~ /[aeiou]+/g;
(my $changed = $text) =~ s/(\w)(\w)/\u$2$1/g;
my %pairs;
$pairs{$1}++ while $text =~ /(?=(\w\w))/g;
print length($text), " $vowels ", length($changed), ' ', scalar(keys %pairs), ' ', join(',', (sort { $pairs{$b} <=> $pairs{$a} || $a cmp $b } keys %pairs)[0 .. 3]), "\n";
my @closures = map { my $n = $_; sub { $n += shift } } 1 .. 300;
my $sum = 0;
$sum += $_->(2) for @closures;
my $code = 'my %h; $h{$_ % 17}{$_ % 5}[$_ % 3] = $_ for 1 .. 500; join ":", map { scalar keys %{$h{$_}} } sort { $a <=> $b } keys %h';
print "$sum ", eval $code, "\n";
my $tree;
for my $key (map { random(10000) } 1 .. 1500) {
    my $place = \$tree;
    $place = \($$place->[$key < $$place->[0] ? 1 : 2]) while $$place;
    $$place = [$key];
}
sub depth { my $t = shift or return 0; my ($l, $r) = (depth($t->[1]), depth($t->[2])); return 1 + ($l > $r ? $l : $r) }
printf "%d %s %s\n", depth($tree), unpack('H*', pack('NnC', 1, 2, 3)), sprintf('%05.2f|%-6s|%x', 3.14159, 'ab', 255);
local $@;
eval { die { code => 7 } };
print "died with $@->{code}\n";
