# Robustness rows 12 and 104: names never reach the terminal raw, and one record is one line.
/usr/bin/python3 - <<'P'
for name in (b"-rf", b"new\nline", b"esc\x1b[31m", b"bad\xff\xfe", b"quote\"'", b"bidi\xe2\x80\xae", b"x" * 255):
    with open(name, "wb") as f:
        f.write(b"text")
P
"$INQUEST" triage -- * 2>err
echo $?
"$INQUEST" scan -v . >out
echo $?
cat err out | cut -c 1-80
"$INQUEST" scan --json . >json
/usr/bin/python3 - <<'P'
import json
for name in ("err", "out", "json"):
    data = open(name, "rb").read()
    assert all(b == 10 or b >= 32 for b in data) and b"\xff" not in data and b"\xe2\x80\xae" not in data, name
rows = [json.loads(line) for line in open("json")]
print(len(rows), sorted(rows[0]))
P
