#!/bin/bash
# MariaDB 10.11: a decimal that is calculated with a text parameter is no decimal any more. Drivers send exact decimals as text,
# since JavaScript has none; `price = '0.25'` is compared exactly enough, but `price + '0.25'` is DOUBLE, which keeps 15 digits: the
# result is rounded without a word, and so is every row of a union or a case that it is in. `cast('0.25' as decimal(3, 2))` helps.
#
# Output seen with 10.11 (sum with a number in the SQL, with text, and the decimals beside it in a union):
#   99999999999999.999999 + 0.25     100000000000000.249999
#   99999999999999.999999 + '0.25'   100000000000000.25
#   beside it in a union             100000000000000
#
# Needs the server on 127.0.0.1:3306 (root, no password), and makes no database there. Exits with 1 when nothing is rounded.
set -eu
run() { mariadb --no-defaults -h127.0.0.1 -uroot -N -B -e "$1"; }
exact=$(run "select cast('99999999999999.999999' as decimal(20, 6)) + 0.25")
text=$(run "select cast('99999999999999.999999' as decimal(20, 6)) + '0.25'")
beside=$(run "select cast('99999999999999.999999' as decimal(20, 6)) union select cast(1 as decimal(20, 6)) + '0.25' limit 1")
echo "99999999999999.999999 + 0.25     $exact"
echo "99999999999999.999999 + '0.25'   $text"
echo "beside it in a union             $beside"
[ "$exact" = 100000000000000.249999 ] && [ "$text" = 100000000000000.25 ] && [ "$beside" = 100000000000000 ]
