#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""secrets.py INQUEST PROGRAMS: a process crashes with 30 secrets in its arguments and environment; none of them
may be in anything that inquest prints. Robustness row 105."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

# Invented values in the shapes that real ones have. (argument or variable, the part that must not leave)
ARGUMENTS = [
    ("--password=Tr0ub4dor&3", "Tr0ub4dor&3"),
    ("--db-passwd", None), ("correcthorsebattery", "correcthorsebattery"),
    ("--token=c2VjcmV0LXRva2VuLXZhbHVl", "c2VjcmV0LXRva2VuLXZhbHVl"),
    ("--api-key", None), ("9f8e7d6c5b4a39281706", "9f8e7d6c5b4a39281706"),
    ("--client-secret=kZx81hQmP0", "kZx81hQmP0"),
    ("PGPASSWORD=hunter2hunter2", "hunter2hunter2"),
    ("https://alice:wonderland77@db.example.org/x", "wonderland77"),
    ("postgresql://svc:Pa55w0rdPg@127.0.0.1/db", "Pa55w0rdPg"),
    ("ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8", "a1B2c3D4e5a1B2c3D4e5"),
    ("github_pat_" + "11ABCDEFG0" * 4, "11ABCDEFG011ABCDEFG0"),
    ("glpat-" + "xYz12345678901234567", "xYz12345678901234567"),
    ("xoxb-123456789012-" + "abcdefABCDEF12345678", "abcdefABCDEF12345678"),
    ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("sk-" + "proj1234567890abcdefABCDEF1234567890", "proj1234567890abcdef"),
    ("AIza" + "SyA1234567890abcdefghijklmnopqrstu", "SyA1234567890abcdef"),
    ("npm_" + "0123456789abcdefghijABCDEFGHIJ012345", "0123456789abcdefghijABCDEFGHIJ"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
     "dozjgNryP4J3jVmNHl0w5N"),
    ("Authorization: Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
     "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    ("carol.smith@corp.example.com", "carol.smith@corp"),
    ("/home/mallory/data/in.csv", "mallory"),
]
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "DATABASE_URL": "mysql://root:toor4242@db/prod",
    "SESSION_COOKIE": "s%3AzQ1w2e3r4t5y6u7i8o9p",
    "SSH_KEY_PASSPHRASE": "open-sesame-1234",
    "MY_PRIVATE_NOTE": "the-launch-is-on-friday",
    "LD_LIBRARY_PATH": "/home/mallory2/lib:/opt/lib",
    "PYTHONPATH": "/srv/app:https://bob:builder99@pypi.example/simple",
    "OMP_NUM_THREADS": "4",
}
HIDDEN_ENVIRONMENT = ["wJalrXUtnFEMI", "toor4242", "zQ1w2e3r4t5y6u7i8o9p", "open-sesame-1234",
                      "the-launch-is-on-friday", "mallory2", "builder99"]
SHOWN = ["OMP_NUM_THREADS"]  # an allowed variable stays: the test would notice an empty report


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(programs, exist_ok=True)
    secrets = [s for _, s in ARGUMENTS if s] + HIDDEN_ENVIRONMENT
    assert len(secrets) >= 28
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = zoo.build({"id": "secrets"}, programs)
            core = zoo.crash([program] + [a for a, _ in ARGUMENTS], folder, env=ENVIRONMENT)
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        raw = open(core, "rb").read()
        for secret in secrets:
            assert secret.encode() in raw, f"the core does not even hold {secret}"
        outputs = {}
        for name, arguments in {"json": ["triage", "--json"], "text": ["triage", "-v"],
                                "scan": ["scan", "-v"], "scan-json": ["scan", "--json"]}.items():
            done = subprocess.run([inquest] + arguments + ["--no-store", core], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=60)
            outputs[name] = done.stdout.decode("utf-8", "replace")
        failed = 0
        for name, output in outputs.items():
            for secret in secrets:
                if secret in output or secret.replace("&", "\\u0026") in output:
                    print(f"{name} shows {secret}")
                    failed += 1
        for word in SHOWN:
            if word not in outputs["json"]:
                print(f"json lost {word}: nothing of the environment is there")
                failed += 1
        if len(outputs["text"]) < 200:
            print("the text report is empty")
            failed += 1
        print(f"{len(secrets) * len(outputs) + 2 - failed} passed, {failed} failed")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
