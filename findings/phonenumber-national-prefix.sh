#!/usr/bin/env bash
# Numbers in international form, "+7 812 …", read by ports of one phone number library.
#
# Versions: crate phonenumber 0.3.10+9.0.33; PyPI phonenumbers 9.0.43; npm libphonenumber-js 1.13.16, google-libphonenumber
#           3.2.47.
# Expected: the ports agree on numbers of plans that have not changed for years; a number in international form is kept as it is.
# Seen: the crate takes the national prefix off behind the country code though the number needs that digit: Saint Petersburg
#       +7 812 123-45-67 becomes +7 121 234 567 and not valid, and so do Russian 800 numbers and those of Lithuania and
#       Belarus that begin with the prefix 8. The three others keep them and call them valid. A Moscow number, +7 495, and one
#       of Berlin are right in all. The cause is not old metadata: the crate's are of this year.
# So a server with this crate refuses, or stores as another number, what the form in the browser has just accepted.
#
# Needs node, npm, cargo and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install phonenumbers==9.0.43
npm init -y >/dev/null; npm install --silent --no-audit --no-fund libphonenumber-js@1.13.16 google-libphonenumber@3.2.47 >/dev/null
numbers='+78121234567 +78432345678 +78001234567 +37080012345 +3758011234567 +74951234567 +4930123456'
cat >read.py <<'PY'
import sys
import phonenumbers
for text in sys.argv[1:]:
    number = phonenumbers.parse(text)
    print(text, phonenumbers.format_number(number, 0), "valid" if phonenumbers.is_valid_number(number) else "not valid")
PY
cat >read.mjs <<'JS'
import parse from 'libphonenumber-js/max';
import google from 'google-libphonenumber';
const util = google.PhoneNumberUtil.getInstance();
const [which, ...numbers] = process.argv.slice(2);
for (const text of numbers) {
  const number = which === 'js' ? parse(text) : util.parse(text);
  const [valid, written] = which === 'js' ? [number.isValid(), number.number]
    : [util.isValidNumber(number), util.format(number, google.PhoneNumberFormat.E164)];
  console.log(text, written, valid ? 'valid' : 'not valid');
}
JS
mkdir -p rust/src && cat >rust/Cargo.toml <<'TOML'
[package]
name = "numbers"
version = "0.1.0"
edition = "2024"
[dependencies]
phonenumber = "=0.3.10"
TOML
cat >rust/src/main.rs <<'RS'
fn main() {
    for text in std::env::args().skip(1) {
        let number = phonenumber::parse(None, &text).unwrap();
        let valid = if phonenumber::is_valid(&number) { "valid" } else { "not valid" };
        println!("{text} {} {valid}", number.format().mode(phonenumber::Mode::E164));
    }
}
RS
(cd rust && cargo build --quiet && grep -A1 'name = "phonenumber"' Cargo.lock | tail -1)
{
    echo 'crate phonenumber'; rust/target/debug/numbers $numbers
    python/bin/python read.py $numbers >others; node read.mjs js $numbers >second; node read.mjs google $numbers >third
    cmp others second && cmp others third && echo 'the three others' && cat others
} | tee seen
diff - seen <<'SEEN' && echo 'as stated'
crate phonenumber
+78121234567 +7121234567 not valid
+78432345678 +7432345678 not valid
+78001234567 +7001234567 not valid
+37080012345 +370012345 not valid
+3758011234567 +37511234567 not valid
+74951234567 +74951234567 valid
+4930123456 +4930123456 valid
the three others
+78121234567 +78121234567 valid
+78432345678 +78432345678 valid
+78001234567 +78001234567 valid
+37080012345 +37080012345 valid
+3758011234567 +3758011234567 valid
+74951234567 +74951234567 valid
+4930123456 +4930123456 valid
SEEN
