# Limits, by name
narthex query --data exposition/shop.prom --query.max-samples 3 'up'
narthex query --data exposition/shop.prom --query.max-series 3 'up'
narthex query --data exposition/shop.prom --query.max-bytes 2000 'sum by (job) (up)'
narthex query --data exposition/shop.prom --query.max-points 10 'up'
narthex query --query.max-steps 100 'max_over_time(vector(1)[1h:1s])'
narthex query 'max_over_time(vector(1)[10y:1ms])'

# Texts that are no UTF-8, and those that only look odd
narthex query "$(printf 'a\377b')"
printf 'sum(\377)' | narthex fmt -
narthex query --at 0 -o json '"\xff"'
narthex query --at 0 -o json "$(printf '"\342\200\256abc"')"
printf 'sum(\r\n  up # all\r\n)\r\n' | narthex fmt -
printf '\357\273\277up' | narthex fmt -
