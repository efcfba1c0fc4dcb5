# 200 files of every sort: the right rows, the right code, in the order of the paths.
mkdir many many/sub
i=0
while [ $i -lt 40 ]; do
    ln "$CORE" many/core.good.$i 2>/dev/null || cp "$CORE" many/core.good.$i
    head -c 60000 "$CORE" >many/sub/core.cut.$i
    echo text >many/text.$i
    i=$((i + 1))
done
i=0
while [ $i -lt 20 ]; do
    : >many/empty.$i
    mkfifo many/fifo.$i
    ln -s core.good.1 many/link.$i
    i=$((i + 1))
done
i=0
while [ $i -lt 20 ]; do
    head -c 40 "$CORE" >many/sub/core.header.$i
    i=$((i + 1))
done
find many ! -type d | wc -l
timeout 120 "$INQUEST" scan --klog none many >out
echo $?
tail -n 1 out
"$INQUEST" scan --klog none --json many >one; echo $?
"$INQUEST" scan --klog none --json -j 1 many >two; echo $?
/usr/bin/python3 - <<'P'
import collections, json
def rows(name):
    found = []
    for line in open(name):
        row = json.loads(line)
        row.pop("timing", None)
        found.append(row)
    return found
one, two = rows("one"), rows("two")
assert one == two, "the same files, other bytes"
paths = [r["path"] if r["format"] == "inquest-skipped" else r["core"]["path"] for r in one]
assert paths == sorted(paths) and len(paths) == 200
kinds = collections.Counter()
for row, path in zip(one, paths):
    kind = path.rsplit("/")[-1].rstrip("0123456789").rstrip(".")
    if row["format"] == "inquest-skipped":
        what = row["reason"]
    elif "error" in row:
        what = row["error"]["code"]
    else:
        what = "crash"
    kinds[kind, what] += 1
for key, count in sorted(kinds.items()):
    print(*key, count)
P
