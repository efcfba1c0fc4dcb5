# Options that later versions fill, and every common one, are taken by every command.
mkdir empty
for command in "scan empty" "signatures list" "signatures check"; do
    "$INQUEST" $command --no-store --klog none --heap --db sqlite:x --debuginfod --sysroot / --debug-dir /x \
        --debug-dir /y --executable /bin/true --trust-paths --stacks --engine libunwind --redact strict \
        --pattern 'core.%p' -j 2 --timeout 9 --max-memory 1GiB --require-sandbox -q -v --color never >out 2>err
    echo "$command: $?"
done
