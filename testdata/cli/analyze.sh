# What each operator takes; times are masked, and one worker holds the same on every machine.
RAYON_NUM_THREADS=1 narthex explain --analyze --data exposition/shop.prom --from 2026-01-05T10:15:00Z --to 2026-01-05T10:30:00Z --step 5m 'sum by (code) (rate(http_requests_total{job="api"}[5m])) / 2 > 1' | sed -E 's/ +[0-9]+\.[0-9]{3}/ T/g'
RAYON_NUM_THREADS=1 narthex explain --analyze --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'up[1m]' | sed -E 's/ +[0-9]+\.[0-9]{3}/ T/g'
RAYON_NUM_THREADS=1 narthex explain --analyze --format json --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'sum(up)' | sed -E 's/"([a-z]+Seconds)":[-+.0-9e]+/"\1":0/g'
narthex explain --analyze '1 + 1' | sed -E 's/ +[0-9]+\.[0-9]{3}/ T/g'
# The data have to fit the query, and nothing can be analyzed that is not evaluated.
narthex explain --analyze --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'up + on (job) up'
narthex explain --format json 'up'
