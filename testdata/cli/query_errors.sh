narthex query 'sum(rate(up)'
narthex query 'rat(up[5m])'
narthex query 'foo(1, bar(2)) + sum(up, up) + {'
narthex query --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'up + on (job) up'
narthex query --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'rate(orders_queue_length[5m])'
narthex query --data nowhere.prom 'up'
printf 'a{x="1} 2\nb 1\nc{ 2\n' | narthex query --data - 'a'
narthex query --at yesterday up
narthex query --from 0 up
narthex query --from 10 --to 5 --step 1s up
narthex query --enable-feature=promql-experimental up
narthex query 'limitk(1, up)'
narthex query --enable-feature=promql-experimental-functions 'limitk(1, vector(1))'
narthex query --data exposition/shop.prom --query.timeout 1s 'max_over_time(max_over_time({__name__!=""}[1h:100ms])[1h:1s])'
narthex query '-1'
