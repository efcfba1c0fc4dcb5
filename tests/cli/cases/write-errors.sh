# Robustness row 77: output that cannot be written is exit 6, never 0.
"$INQUEST" --help >/dev/full; echo $?
"$INQUEST" --version >&-; echo $?
"$INQUEST" signatures list >/dev/full; echo $?
mkdir empty
"$INQUEST" scan empty >/dev/full; echo $?
: >text
"$INQUEST" triage --json text >/dev/full; echo $?
/usr/bin/python3 - <<'P' # nobody reads
import os, subprocess
ours, theirs = os.pipe()
os.close(ours)
print(subprocess.run([os.environ["INQUEST"], "--help"], stdout=theirs).returncode)
P
"$INQUEST" --version <&- 2>&-; echo $?
