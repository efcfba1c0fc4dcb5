"$INQUEST" triage --json --no-store "$CORE" >report.json
"$INQUEST" signatures explain null-deref-offset report.json; echo $?
cat report.json | "$INQUEST" signatures explain --json call-null - | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["format"], d["id"], d["when"], [(x["section"], x["truth"]) for x in d["lines"]], "verdict" in d)'
"$INQUEST" signatures explain null-deref-ofset report.json; echo $?
"$INQUEST" signatures explain null-deref-offset "$CORE"; echo $?
"$INQUEST" signatures explain null-deref-offset missing.json; echo $?
"$INQUEST" signatures explain null-deref-offset; echo $?
