# Each feature of the language off and on.
narthex query 'max_of(1, 2)'
narthex query --enable-feature=promql-experimental-functions 'max_of(1, 2)'
narthex query --enable-feature=promql-duration-expr 'vector(1)'
printf 'a_total 1 0\na_total 3 60000\n' | narthex query --data - 'increase(a_total[1m] anchored)'
printf 'a_total 1 0\na_total 3 60000\n' | narthex query --data - --enable-feature=promql-extended-range-selectors 'increase(a_total[1m] anchored)'
printf 'a{x="1"} 1 0\nb{x="2"} 2 0\n' | narthex query --data - 'a + fill (0) b'
printf 'a{x="1"} 1 0\nb{x="2"} 2 0\n' | narthex query --data - --enable-feature=promql-binop-fill-modifiers 'a + fill (0) b'
# Each feature of the engine off and on.
printf 'a 1 0\nb 2 0\n' | narthex query --data - 'count(abs({__name__=~"a|b"}))'
printf 'a 1 0\nb 2 0\n' | narthex query --data - --enable-feature=promql-delayed-name-removal 'count(abs({__name__=~"a|b"}))'
printf 'a{__type__="counter"} 1 0\na{__type__="counter"} 3 60000\n' | narthex query --data - 'increase(a[2m])'
printf 'a{__type__="counter"} 1 0\na{__type__="counter"} 3 60000\n' | narthex query --data - --enable-feature=type-and-unit-labels 'increase(a[2m])'
narthex query --enable-feature=use-start-timestamps 'vector(1)'
# Several at once, and by several flags; features of a server change nothing.
narthex query --enable-feature=promql-experimental-functions,promql-binop-fill-modifiers --enable-feature=native-histograms,promql-per-step-stats 'vector(min_of(1, 2)) + fill (0) vector(1)'
# What is no feature is told, and nothing more.
narthex query --enable-feature=promql-delayed-name-removals,nonsense 1
narthex check rules --enable-feature=promql-experimental cli/shop.yml
# How far selectors look, and how often a subquery without a step evaluates.
printf 'a 1 0\n' | narthex query --data - --at 240 a
printf 'a 1 0\n' | narthex query --data - --at 240 --query.lookback-delta 1m a
printf 'a 1 0\n' | narthex query --data - --at 120 'count_over_time(a[2m:])'
printf 'a 1 0\n' | narthex query --data - --at 120 --evaluation-interval 30s 'count_over_time(a[2m:])'
narthex explain --evaluation-interval 15s --query.lookback-delta 2m 'max_over_time(a[1h:])'
