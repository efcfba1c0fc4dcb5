# inquest libs: a core with nothing twice, what it does not take, and its JSON.
"$INQUEST" libs "$CORE"; echo $?
"$INQUEST" libs --json "$CORE" | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["collisions"])'
"$INQUEST" libs; echo $?
"$INQUEST" libs a b; echo $?
"$INQUEST" libs 1; echo $?
"$INQUEST" libs nothing-here; echo $?
mkdir empty
"$INQUEST" libs empty >page; echo $?
head -n 2 page # a build for a sanitizer says below that its sandbox is not whole
