# Robustness row 78: the worker hangs; the report says so, and a scan goes on.
cp /bin/sh core.1
echo text >core.2
INQUEST_WORKER=$HANGING "$INQUEST" triage --timeout 1 core.1; echo $?
INQUEST_WORKER=$HANGING "$INQUEST" scan -v --timeout 1 .; echo $?
