# Robustness row 13: a file whose name is longer than the kernel takes in one piece.
/usr/bin/python3 - <<'P'
import os
for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
with open("text", "w") as f:
    f.write("text")
P
path=$(/usr/bin/python3 -c 'print("/".join(["d" * 200] * 30) + "/text")')
"$INQUEST" triage "$path" 2>err
echo "$? $(sed 's/d\{200\}/D/g' err)"
"$INQUEST" scan -v . | sed 's/d\{200\}/D/g'
