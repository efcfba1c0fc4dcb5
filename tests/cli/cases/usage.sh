# Every wrong command line: one line, exit 2.
try() {
    "$INQUEST" "$@" >out
    echo "$? $(wc -c <out)"
}
try
try trige core.1
try scna
try ./core.123
try "$(printf 'a\033[31m\nb')"
try --jsn triage x
try --color=blue triage x
try --color
try --quiet=yes triage x
try -x
try -qx
try -j 0 scan .
try -j 5x scan .
try -j 100000 scan .
try --timeout=-1 triage x
try --timeout 1.5 triage x
try --max-memory 12Q triage x
try --max-memory 1K triage x
try --max-memory 99999999999999999999G triage x
try --engine gdb triage x
try --redact all triage x
try --no-sandbox --require-sandbox triage x
try triage
try scan -
try signatures show
try signatures show no-such-thing
try signatures show free-nearnull
try signatures check
try signatures frobnicate
try --signatures "$PWD/none" signatures list
try --signatures "$PWD/none" triage x
try --sysroot none triage x
try --sysroot out triage x
try --executable none triage x
