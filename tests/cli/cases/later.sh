# Commands and options of the interface that this version does not have say so.
for command in attach bundle doctor export groups history import klog libs purge rejudge show; do
    "$INQUEST" $command x
    echo $?
done
"$INQUEST" triage --html out.html x; echo $?
"$INQUEST" triage --markdown x; echo $?
"$INQUEST" scan --fail-on proven .; echo $?
ls
