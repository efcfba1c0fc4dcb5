#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check.py [TOP]: the house rules that a compiler does not see. With --self-test, that each check can fail."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_FILE, MAX_FUNCTION, MAX_COLUMNS = 800, 100, 100
# memcpy and friends have sizes; these have not, or keep hidden state.
BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|gmtime|localtime|asctime|ctime|atoi|atol|popen|alloca)\s*\("


def layers(text):
    table = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, below = line.split(":")
            table[name.strip()] = below.split()
    return table


def check_text(name, text, layer=None, below=(), headers=None):
    """Problems of one source file; layer and headers ({header: layer}) for files below src."""
    lines = text.split("\n")
    if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines[:3]):
        yield f"{name}:1: no SPDX line"
    if len(lines) > MAX_FILE:
        yield f"{name}: {len(lines)} lines, at most {MAX_FILE}"
    start = None
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > MAX_COLUMNS and "http" not in line:
            yield f"{name}:{number}: {len(line)} columns"
        if re.search(BANNED, re.sub(r'"([^"\\]|\\.)*"', '""', line.split("//")[0])) and not line.lstrip().startswith("*"):
            yield f"{name}:{number}: banned function: {line.strip()}"
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match:
            if ".." in match[1]:
                yield f"{name}:{number}: ../ in an include"
            owner = (headers or {}).get(match[1])
            if layer and owner and owner != layer and owner not in below:
                yield f"{name}:{number}: {layer} may not include {owner}/{match[1]}"
            if layer and headers is not None and owner is None and match[1] != "config.h":
                yield f"{name}:{number}: no layer has {match[1]}"
        if line == "{":
            start = number
        elif line == "}" and start:
            # a table's rows are no function: those begin with `= {` and not with a brace of their own
            if number - start > MAX_FUNCTION:
                yield f"{name}:{start}: a function of {number - start} lines, at most {MAX_FUNCTION}"
            start = None


def check_tree(top):
    table = layers(open(os.path.join(top, "src", "LAYERS"), encoding="utf-8").read())
    headers = {}
    for layer in table:
        for file in os.listdir(os.path.join(top, "src", layer)):
            if file.endswith(".h"):
                if file in headers:
                    yield f"src/{layer}/{file}: {headers[file]} has a header of that name too"
                headers[file] = layer
    for file in headers:
        # libc's own headers include each other by name, and -iquote is searched for those too; no
        # header of libc's includes these two
        if file not in ("error.h", "memory.h") and os.path.exists(os.path.join("/usr/include", file)):
            yield f"src/{headers[file]}/{file}: hides libc's <{file}>"
    seen = set()
    for layer, below in table.items():
        for name in below:
            if name not in seen:
                yield f"src/LAYERS: {layer} names {name}, which stands above it"
        seen.add(layer)
    for root, dirs, files in os.walk(top):
        dirs[:] = [d for d in dirs if not d.startswith((".git", "build"))]
        for file in sorted(files):
            if not file.endswith((".c", ".h")):
                continue
            path = os.path.relpath(os.path.join(root, file), top)
            parts = path.split(os.sep)
            layer = parts[1] if parts[0] == "src" and len(parts) == 3 and parts[1] in table else None
            with open(os.path.join(root, file), encoding="utf-8") as f:
                yield from check_text(path, f.read(), layer, table.get(layer, ()), headers if layer else None)


def self_test():
    spdx = "/* SPDX-License-Identifier: Apache-2.0 */\n"
    headers = {"low.h": "low", "high.h": "high"}
    bad = {
        "no SPDX": "int x;\n",
        "../ in": spdx + '#include "../low/low.h"\n',
        "may not include": spdx + '#include "high.h"\n',
        "no layer has": spdx + '#include "gone.h"\n',
        "banned": spdx + "void f(void)\n{\n    strcpy(a, b);\n}\n",
        "columns": spdx + "int " + "x" * 100 + ";\n",
        "a function of": spdx + "void f(void)\n{\n" + "    x();\n" * 101 + "}\n",
        "lines, at most": spdx + "\n" * 801,
    }
    for want, text in bad.items():
        found = list(check_text("t.c", text, "low", [], headers))
        if not any(want in f for f in found):
            yield f"the check for '{want}' finds nothing: {found}"
    good = spdx + '#include "low.h"\nvoid f(void)\n{\n    strcpy_s_is_fine();\n}\n'
    for found in check_text("t.c", good, "low", [], headers):
        yield f"a good file is refused: {found}"


def main():
    problems = list(self_test()) + list(check_tree(sys.argv[1] if len(sys.argv) > 1 else TOP))
    for problem in problems:
        print(problem)
    print(f"house: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
