# What claims to be a core and is none that can be read: a row, and exit 1.
head -c 40 /bin/sh >short
: >core.empty
printf '(\265/\375garbage' >core.zst
printf hello | gzip -n >core.5.gz
"$INQUEST" scan .; echo $?
"$INQUEST" scan short missing-path; echo $?
