narthex parse 'sum by (job) (rate(http_requests_total{code=~"5.."}[5m] offset 1m)) > 10'
narthex parse -o json 'up{job="a"} == bool 1'
narthex parse 'a + (b'
narthex explain 'rate(a[5m] @ 100) + b'
narthex explain --passes --from 0 --to 3600 --step 1m 'sum(rate(a{x=~".*"}[5m]))'
narthex explain 'a[step()]'
printf 'sum by(job)(rate(http_requests_total{code=~"5..",job="api"}[5m])) # errors\n  /  sum by(job)(rate(http_requests_total{job="api"}[5m])) > 0.05\n' | narthex fmt -
printf 'sum(up)\n' | narthex fmt --check -
printf 'sum( up )\n' | narthex fmt --check -
printf 'sum(\n' | narthex fmt -
