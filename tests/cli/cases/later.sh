# Commands and options of the interface that this version does not have say so.
for command in attach bundle libs rejudge; do
    "$INQUEST" $command x
    echo $?
done
"$INQUEST" triage --html out.html x; echo $?
"$INQUEST" signatures test .; echo $?
"$INQUEST" signatures explain a b; echo $?
ls
