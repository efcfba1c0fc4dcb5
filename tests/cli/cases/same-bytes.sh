# The same input gives the same bytes out.
mkdir d
cp "$CORE" d/core.1
cp "$CORE" d/core.2
"$INQUEST" triage d/core.1 >one
"$INQUEST" triage d/core.1 >two
cmp one two
grep -q SIGSEGV one || echo "no report"
"$INQUEST" scan --klog none -j 4 d >one
"$INQUEST" scan --klog none -j 1 d >two
cmp one two
grep -q "1 crash in 1 group, 1 more copy" one || echo "no rows"
sha256sum <"$CORE" >before
"$INQUEST" scan --klog none d >/dev/null
sha256sum <d/core.1 | cmp - before
