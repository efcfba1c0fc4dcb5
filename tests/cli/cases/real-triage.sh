# A real core: as a file, on standard input, through a pipe, several at once.
cp "$CORE" core.1
"$INQUEST" triage --klog none core.1 | head -n 1
"$INQUEST" triage --klog none core.1 >out; echo $?
"$INQUEST" triage --klog none - <core.1 >stdin; echo $?
cat core.1 | "$INQUEST" triage --klog none - >pipe; echo $?
"$INQUEST" triage --klog none --json core.1 >one.json; echo $?
"$INQUEST" triage --klog none --json core.1 core.1 >two.json; echo $?
echo text >text
"$INQUEST" triage --klog none core.1 text core.1 >three 2>err; echo $?
cat err
/usr/bin/python3 - <<'P'
import json
one = json.load(open("one.json"))
print(one["verdicts"][0]["signature"], one["signal"]["name"], one["core"]["path"], one["tool"]["name"])
print(one["process"]["crashed_at_source"], one["name_facts"]["pattern"])
two = open("two.json").read().splitlines()
for line in two:
    document = json.loads(line)
    document.pop("timing"), one.pop("timing", None)
    assert document == one
print(len(two))
assert open("one.json", "rb").read().isascii()
texts = [open(n).read() for n in ("out", "stdin", "pipe")]
print([t.split(":")[0] == texts[0].split(":")[0] for t in texts])
print(open("three").read().count("Crashing thread"))
P
