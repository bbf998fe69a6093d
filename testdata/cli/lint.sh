narthex lint cli/shop.yml
narthex lint --format concise cli/shop.yml cli/refused.yml
narthex lint --format github cli/shop.yml
narthex lint --format json --select TPL cli/shop.yml
narthex lint --ignore TPL,VAL,HIS cli/shop.yml
narthex lint - --format concise < cli/shop.yml
narthex lint --explain VAL001
narthex lint --select NOPE cli/shop.yml
narthex lint nowhere/
narthex check rules cli/refused.yml
narthex check rules cli/shop.yml
narthex lint --explain SYN001
printf 'groups: []\n' | narthex lint /dev/stdin
