# Help lists what works, and nothing that does not yet.
"$INQUEST" --help
for command in $("$INQUEST" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    "$INQUEST" $command --help
    "$INQUEST" --help $command >again
    "$INQUEST" $command -h | cmp - again
done
"$INQUEST" --help | grep -E "attach|bundle|--html" || echo "nothing of later"
