# Commands and options of the interface that this version does not have say so.
for command in attach bundle; do
    "$INQUEST" $command x
    echo $?
done
"$INQUEST" triage --html out.html x; echo $?
ls
