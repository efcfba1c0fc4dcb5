# Signatures that lie beside their evidence: a real report, one made by hand, and one that is not as it says.
mkdir -p mine/deep-null/match mine/deep-null/nomatch mine/odd
cat >mine/rules.yaml <<'R'
- id: deep-null
  title: A null pointer, read in a function that has a name
  seen: real
  when:
    - fault.address_class is null-page
    - any frames: [frame.function like "*"]
      says: "{frame.function} is on the stack"
  proof: [fault.operand.base_value is 0]
  cause: "{frame.function}"
- id: odd
  title: Never
  when: [signal.name is SIGBUS]
  cause: c
R
"$INQUEST" triage --json --no-store "$CORE" >mine/deep-null/match/real.json
echo '{"synthetic": true, "report": {"format": "inquest-report", "version": 1, "fault": {"address_class": "mapped"}}}' \
    >mine/deep-null/nomatch-mapped.json
echo '{"synthetic": true, "report": {"format": "inquest-report", "version": 1, "unknown": {"fault": "no note"}}}' \
    >mine/deep-null/unknown.json
"$INQUEST" signatures test mine 2>/dev/null; echo $?
"$INQUEST" signatures test -v mine; echo $?
cp mine/deep-null/match/real.json mine/odd/match-wrong.json
echo 'not JSON' >mine/odd/unknown-broken.json
"$INQUEST" signatures test -q mine; echo $?
"$INQUEST" signatures test --json -q mine | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["format"], d["signatures"], d["files"], d["failed"], [r["ok"] for r in d["results"]])'
sed -i s/real/synthetic/ mine/rules.yaml
rm -r mine/odd
"$INQUEST" signatures test mine; echo $?
rm mine/deep-null/match/real.json
sed -i s/synthetic/real/ mine/rules.yaml
"$INQUEST" signatures test -q mine; echo $?
mkdir empty
"$INQUEST" signatures test empty; echo $?
"$INQUEST" signatures test missing; echo $?
