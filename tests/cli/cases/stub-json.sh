# Where there is no answer, --json still gives one document that says why.
: >empty
"$INQUEST" triage --json empty >one 2>err
echo $?
cat err
"$INQUEST" triage --json empty missing >two 2>err
echo $?
/usr/bin/python3 - <<'P'
import json
one = json.load(open("one"))
del one["timing"], one["process"]
print(json.dumps(one, sort_keys=True))
two = [json.loads(line) for line in open("two")]
print([(r["core"]["path"], r["error"]["code"], r["error"]["exit"]) for r in two])
P
