# Robustness rows 1 to 4 and 8: one line a file, exit 3, and nothing ever blocks.
: >empty
printf '\177' >one-byte
head -c 15 /bin/sh >fifteen
head -c 63 /bin/sh >sixty-three
echo hello >text
printf '\211PNG\r\n\032\n' >png
printf hello | gzip -n >packed.gz
mkfifo fifo
mkdir directory
cp /bin/sh program
ln -s text link
for file in empty one-byte fifteen sixty-three text png packed.gz fifo directory program link /dev/null \
        /dev/zero ./missing; do
    timeout 10 "$INQUEST" triage $file
    echo "$file: $?"
done
"$INQUEST" triage text empty ./missing
echo "together: $?"
"$INQUEST" triage - <text
echo "stdin: $?"
cat text | "$INQUEST" triage -
echo "pipe: $?"
"$INQUEST" triage - </dev/null
echo "no input: $?"
"$INQUEST" triage - <directory
echo "directory: $?"
