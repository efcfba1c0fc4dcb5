# Help lists what works, and nothing that does not yet.
"$INQUEST" --help
for command in doctor klog scan signatures triage; do
    "$INQUEST" $command --help
    "$INQUEST" --help $command >again
    "$INQUEST" $command -h | cmp - again
done
"$INQUEST" --help | grep -E "attach|bundle|--html" || echo "nothing of later"
