# Options that change a report, on a real core.
cp "$CORE" core_null-read-fie.1.web.1700000000
core=core_null-read-fie.1.web.1700000000
"$INQUEST" triage --stacks --json $core | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d.get("verdicts"), len(d["threads"]))'
"$INQUEST" triage --json --pattern 'core_%e.%p.%h.%t' $core | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["process"]["crashed_at"], d["process"]["crashed_at_source"], d["process"]["hostname"])
print(d["process"]["pid"] != 1, d["name_facts"]["pid"], len(d["name_facts"]["contradictions"]))'
"$INQUEST" triage $core >plain
"$INQUEST" triage --color=always $core >colored
NO_COLOR=1 TERM=xterm "$INQUEST" triage --color=auto $core | cmp - plain
esc=$(printf '\033')
grep -q "$esc" plain && echo "colour where none is wanted"
grep -q "$esc\[" colored && echo coloured
sed "s/$esc\[[0-9;]*m//g" colored | cmp - plain
"$INQUEST" triage --no-sandbox --json $core | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["sandbox"]["seccomp"], d["sandbox"]["landlock_abi"])'
mkdir rules
printf -- '- id: broken\n  titel: x\n' >rules/broken.yaml
"$INQUEST" triage --signatures rules --json $core >json
echo $?
/usr/bin/python3 -c '
import json
for gap in json.load(open("json"))["gaps"]:
    if gap["code"] == "INQ-132":
        print(gap["where"])'
