"$INQUEST" signatures list
"$INQUEST" signatures list --json | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["format"], d["version"], len(d["signatures"]) >= 11, d["refused"])
print(sorted(d["signatures"][0]))'
"$INQUEST" signatures show free-near-null
"$INQUEST" signatures show --json call-null | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'
