# A user's own: added, overridden and disabled with a reason, which the report tells.
mkdir -p .config/inquest/signatures.d more
cat >.config/inquest/signatures.d/own.yaml <<'R'
- id: mine
  title: My own
  when: [signal.name is SIGSEGV]
  proof: [fault.address < 0x1000]
  cause: It is mine.
- disable: call-null
  reason: we never call through pointers
R
cat >more/over.yaml <<'R'
- id: null-deref-offset
  override: ours names the team
  title: Null pointer used (ours)
  seen: real
  when: [fault.address_class is null-page]
  proof: [fault.operand.base_value is 0]
  cause: Ask the team.
R
"$INQUEST" signatures list --signatures more | sed -n -e "/^mine/,/your own/p" -e "/^null-deref-offset/,/your own/p" -e "/ is disabled/,\$p"
"$INQUEST" signatures list --json --signatures more | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print([(s["id"], s["origin"], s["seen"]) for s in d["signatures"] if s["origin"] != "shipped"])
print([(c["change"], c["id"], c["reason"]) for c in d["changed"]], d["refused"])'
"$INQUEST" triage --no-store --signatures more "$CORE" | sed -n -e /PROVEN/,/team/p -e /^Signatures/,/^$/p
"$INQUEST" signatures show call-null; echo $?
# another place for them; an environment that is not the user's own
XDG_CONFIG_HOME="$PWD/elsewhere" "$INQUEST" signatures show mine; echo $?
XDG_CONFIG_HOME="relative" "$INQUEST" signatures list -q | grep -c '^mine'
# a file with a mistake hides nothing: exit 1
echo '- id: [' >more/bad.yaml
"$INQUEST" triage --no-store --signatures more "$CORE" >/dev/null; echo $?
"$INQUEST" triage --json --no-store --signatures more "$CORE" | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["verdicts"][0]["signature"], d["verdicts"][0]["grade"], d["signatures"]["own"], d["signatures"]["refused"])
print([(v["grade"], v["against"]) for v in d["verdicts"] if v["signature"] == "mine"])'
