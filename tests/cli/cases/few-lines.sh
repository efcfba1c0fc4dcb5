# However much goes wrong, standard error stays below 20 lines or so.
"$INQUEST" triage $(seq 100 400) 2>err
echo $?
wc -l <err
tail -n 1 err
