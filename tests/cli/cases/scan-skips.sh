# What is no core is shown with -v and with --json, and changes nothing.
mkdir sub .hidden
echo text >a.txt
echo text >.hidden/b
: >sub/empty
mkfifo sub/fifo
ln -s ../a.txt sub/link
ln -s . sub/loop
cp /bin/sh program
"$INQUEST" scan .; echo $?
"$INQUEST" scan -v .; echo $?
"$INQUEST" scan -q .; echo $?
"$INQUEST" scan -v --no-recursive .; echo $?
"$INQUEST" scan --json sub a.txt; echo $?
"$INQUEST" scan -v sub/link ./missing; echo $?
