narthex test rules rule-tests/passing.yml
narthex test rules rule-tests/passing.yml rule-tests/failing.yml --run 'fail|empty line'
narthex test rules rule-tests/rule_errors.yml rule-tests/refused.yml --format concise
narthex test rules rule-tests/ordered.yml
narthex test rules rule-tests/ordered.yml --group-intervals --format concise
narthex test rules rule-tests/fuzzy.yml --format json
narthex test rules rule-tests/rule_errors.yml --format concise --junit /dev/stdout
narthex test rules rule-tests/passing.yml --coverage
narthex test rules rule-tests/passing.yml --min-coverage 95 --format json
narthex test rules rule-tests/passing.yml --min-coverage 50 --run nothing
narthex test rules rule-tests/none.yml
narthex test rules rule-tests/passing.yml --run '('
narthex test rules rule-tests/empty.yml --min-coverage 1
narthex test rules rule-tests/passing.yml --min-coverage 200
narthex test rules rule-tests/passing.yml --coverage --format sarif
