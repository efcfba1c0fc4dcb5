# Robustness row 77: output that cannot be written is exit 6, never 0.
"$INQUEST" --help >/dev/full; echo $?
"$INQUEST" --version >&-; echo $?
"$INQUEST" signatures list >/dev/full; echo $?
mkdir empty
"$INQUEST" scan empty >/dev/full; echo $?
: >text
"$INQUEST" triage --json text >/dev/full; echo $?
{ sleep 0.3; "$INQUEST" --help; echo $? >status; } | :
cat status
"$INQUEST" --version <&- 2>&-; echo $?
