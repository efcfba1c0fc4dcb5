# --new, --fail-on with known issues, --markdown, --advice, --group-by, filters, --watch.
export INQUEST_DB="$PWD/crashes.db"
mkdir d
for i in 1 2 3 4 5; do cp "$CORE" d/core.$i; done
"$INQUEST" scan --klog none --new d | tail -n 1
"$INQUEST" scan --klog none --new d
echo "nothing new: $?"
"$INQUEST" scan --klog none --new --no-store d
echo "without a database: $?"
"$INQUEST" scan --klog none -q --fail-on proven d >/dev/null
echo "fail-on proven: $?"
"$INQUEST" scan --klog none -q --fail-on any "$PWD/d/core.1" >/dev/null
echo "fail-on any: $?"
"$INQUEST" scan --klog none --fail-on sometimes d
echo "fail-on sometimes: $?"
signature=$("$INQUEST" history --json | sed -n 's/.*"signature":"\([^"]*\)".*/\1/p' | head -n 1)
echo "# ours
signature $signature https://tracker/OPS-12 2999-01-01" >known
"$INQUEST" scan --klog none -q --fail-on any --known-issues known d >/dev/null
echo "known: $?"
echo "signature $signature https://tracker/OPS-12 1999-01-01" >known
"$INQUEST" scan --klog none -q --fail-on any --known-issues known d >/dev/null
echo "known too long: $?"
echo "nonsense" >known
"$INQUEST" scan --klog none --known-issues known d
echo "bad list: $?"
echo "before" >summary.md
"$INQUEST" scan --klog none -q --markdown summary.md d >/dev/null
head -n 1 summary.md
grep -c '^| .*core.[1-5]' summary.md
grep '^| 1 |' summary.md | cut -d'|' -f2,4
"$INQUEST" scan --klog none -q --markdown no-such/summary.md d >/dev/null
echo "nowhere: $?"
"$INQUEST" scan --klog none --advice d | grep Advice
"$INQUEST" scan --klog none --group-by program -q d | grep '^  '
"$INQUEST" scan --klog none --program 'no-such-*' d | tail -n 1
"$INQUEST" scan --klog none --until 1990-01-01 d | tail -n 1
"$INQUEST" scan --klog none --since soon d
echo "soon: $?"
mkdir w
"$INQUEST" scan --klog none --watch w >watched &
watcher=$!
cp "$CORE" w/core.first
for _ in $(seq 1000); do grep -qs first watched && break; sleep 0.1; done
mkdir w/below
cp "$CORE" w/below/core.second
for _ in $(seq 1000); do grep -qs second watched && break; sleep 0.1; done
kill -TERM $watcher
wait $watcher
echo "watched: $?"
grep -c 'core\.first' watched
grep -c 'core\.second' watched
