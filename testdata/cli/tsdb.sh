# Blocks of a file: what they are, what is in them, that they are sound. Names and sizes of blocks differ from run to run.
d=$(mktemp -d); narthex tsdb create-blocks-from openmetrics --label origin=backfill cli/backfill.om $d | sed 's/^[0-9A-Z]\{26\}/ULID/; s/ *[0-9]*$//'; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex tsdb list -r $d | sed 's/^[0-9A-Z]\{26\}/ULID/; s/ *[0-9KiB]*$//'; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex tsdb dump $d; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex tsdb dump --match load --match '{queue="print"}' --max-time 1790000040000 $d; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex tsdb export $d; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex tsdb analyze --limit 3 --extended $d | sed 's/[0-9A-Z]\{26\}/ULID/'; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex tsdb verify $d | sed 's/[0-9A-Z]\{26\}/ULID/'; rm -r $d
# A damaged block is told; the others are read.
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; printf x | dd of=$(ls -d $d/*/chunks/000001 | head -1) bs=1 seek=20 conv=notrunc 2>/dev/null; narthex tsdb verify $d 2>&1 | sed "s/[0-9A-Z]\{26\}/ULID/g; s#$d#DIR#g"; rm -r $d
# Queries over a directory, alone and with a file.
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; narthex query --data $d 'sum by (queue) (max_over_time(jobs_total[3h]))'; rm -r $d
d=$(mktemp -d); narthex tsdb import -q cli/backfill.om $d; printf 'load{place="file"} 2 1790009000000\n' | narthex query --data $d --data - 'load'; rm -r $d
# What is refused.
narthex tsdb list cli/nowhere
narthex tsdb analyze cli
narthex tsdb dump --match 'rate(x[5m])' cli
narthex tsdb import cli/untimed.om cli/nowhere
narthex tsdb import --label x cli/backfill.om cli/nowhere
