# A worker that is missing is our own trouble: exit 6, and scan does not go on without.
cp /bin/sh core.1
INQUEST_WORKER=$NOWORKER "$INQUEST" triage core.1; echo $?
INQUEST_WORKER=$NOWORKER "$INQUEST" triage --json core.1; echo $?
INQUEST_WORKER=$NOWORKER "$INQUEST" scan .; echo $?
