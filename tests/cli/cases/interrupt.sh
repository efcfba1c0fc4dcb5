# Robustness row 77: an interrupt ends the workers and the program, with 130 or 143.
cp /bin/sh core.1
cp /bin/sh core.2
INQUEST_WORKER=$HANGING /usr/bin/python3 - <<'P'
import os, signal, subprocess, time
def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return f.read().split()
for arguments in (["triage", "core.1"], ["scan", "-j", "2", "."], ["triage", "--json", "core.1", "core.2"]):
    for number in (signal.SIGINT, signal.SIGTERM):
        p = subprocess.Popen([os.environ["INQUEST"]] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        want = 2 if arguments[0] == "scan" else 1
        while len(children(p.pid)) < want:
            time.sleep(0.01)
        workers = children(p.pid)
        p.send_signal(number)
        out, err = p.communicate(timeout=120)
        gone = [not os.path.exists(f"/proc/{w}") for w in workers]
        print(arguments[0], number.name, p.returncode, out, err, gone)
P
