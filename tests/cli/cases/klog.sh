# Groups, processors and readings of a kernel log; several files; what is no log; exit codes.
crash() {
    echo "Mar 01 14:58:0$1 host kernel: prog[$1]: segfault at 10 ip 000055d0f000123$1 sp 00007ffd00001000 error 4 in prog[123$1,55d0f0000000+2000] likely on CPU $1 (core $1, socket 0)"
}
{
    crash 1
    echo "Mar 01 14:58:01 host kernel: Code: 00 00 <48> 8b 47 10 c3"
    crash 2
    echo "Mar 01 14:58:03 host app[7]: x[1]: segfault at 0 ip 1 sp 1 error 4"
    echo "Mar 01 14:58:04 host kernel: Out of memory: Killed process 9 (big) total-vm:1kB, anon-rss:2048kB, file-rss:0kB"
} >log
"$INQUEST" klog log | head -n 10; echo
"$INQUEST" klog log >one
cat log | "$INQUEST" klog - | cmp - one && echo same
"$INQUEST" klog log log | head -n 1
"$INQUEST" klog -v log | grep -c segfault
"$INQUEST" klog --json log | grep -E '"(format|judgement|grade)"'
: >empty
"$INQUEST" klog empty; echo $?
gzip -c log >log.gz
"$INQUEST" klog log.gz; echo $?
"$INQUEST" klog missing; echo $?
"$INQUEST" klog .; echo $?
"$INQUEST" klog log >/dev/full; echo $?
