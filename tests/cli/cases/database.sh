# The crash database: what a scan kept can be asked, moved and forgotten; cores are done once.
export INQUEST_DB="$PWD/crashes.db"
"$INQUEST" groups
echo "nothing yet: $?"
mkdir d
cp "$CORE" d/core.1
cp "$CORE" d/copy.core
echo hello >d/text
"$INQUEST" scan d | tail -n 1
"$INQUEST" scan d | tail -n 1
"$INQUEST" scan --again d | tail -n 1
mv d/core.1 d/core.2
"$INQUEST" scan d | tail -n 1
"$INQUEST" history --json | wc -l
id=$("$INQUEST" history | cut -c1-36)
"$INQUEST" show "$id" | head -n 1
"$INQUEST" show "$id" --json | grep -c "\"uid\": \"$id\""
"$INQUEST" groups | tail -n 1
group=$("$INQUEST" groups | tail -n 1 | awk '{print $2}')
"$INQUEST" show "$group" | head -n 1
"$INQUEST" history --group "$group" | wc -l
"$INQUEST" history --program "no-such-*"
"$INQUEST" history --until 1990-01-01
"$INQUEST" show ffffffff
echo "none such: $?"
"$INQUEST" export >all.ndjson
"$INQUEST" import --db other.db all.ndjson
"$INQUEST" import --db other.db all.ndjson
"$INQUEST" export --db other.db | wc -l
echo '{"format":' >bad.ndjson
"$INQUEST" import --db other.db bad.ndjson
echo "bad line: $?"
# another crash of the same bug: the same report, of a dump with another identity
sed 's/"identity":"./"identity":"x/' all.ndjson >other.ndjson
"$INQUEST" import other.ndjson
"$INQUEST" triage "$CORE" | grep "Seen before"
"$INQUEST" triage --db none "$CORE" | grep -c "Seen before"
"$INQUEST" history --db none
echo "none: $?"
ls none
"$INQUEST" purge
echo "all of it: $?"
"$INQUEST" purge --group "$group" --dry-run
"$INQUEST" purge --group "$group"
"$INQUEST" history
ls d
