# Instant queries over the shop: at a time, and at the newest sample's.
narthex query --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'sum by (job) (up)'
narthex query --data exposition/shop.prom 'up == 0'
narthex query --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'sum by (instance) (rate(http_requests_total{code="500"}[5m])) / sum by (instance) (rate(http_requests_total[5m])) > 0.05'
narthex query --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'histogram_quantile(0.9, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))'
narthex query --data exposition/shop.prom --at 2026-01-05T10:30:00Z 'sum by (instance) (rate(http_requests_total[5m])) * on (instance) group_left (version) build_info{job="api"}'
narthex query --data exposition/shop.prom -o json --at 2026-01-05T10:30:00Z 'topk(2, process_resident_memory_bytes)'
narthex query --data exposition/shop.prom -o csv --at 2026-01-05T10:30:00Z 'count(up)'
# Range queries.
narthex query --data exposition/shop.prom --from 2026-01-05T10:15:00Z --to 2026-01-05T10:30:00Z --step 5m 'sum by (code) (rate(http_requests_total{job="api"}[5m]))'
narthex query --data exposition/shop.prom --from 2026-01-05T10:15:00Z --to 2026-01-05T10:20:00Z --step 5m -o json 'sum(orders_queue_length)'
# Without data, and from standard input.
narthex query '1 + 2 * 3'
narthex query '"text"'
printf 'a{x="1"} 2\na{x="2"} 3\n' | narthex query --data - 'sum(a)'
# Comma-separated values: a column per label.
narthex query --data exposition/shop.prom --format csv --at 2026-01-05T10:30:00Z 'topk(2, up)'
narthex query --data exposition/shop.prom --format csv --from 2026-01-05T10:15:00Z --to 2026-01-05T10:20:00Z --step 5m 'sum by (code) (rate(http_requests_total{job="api"}[5m]))'
narthex query --format csv --at 1.5 '"a, b"'
