# SPDX-License-Identifier: Apache-2.0
"""rebuild.py TOLD.json REPORT.json FOLDER: prints the command that a certificate names, after
checking its hashes against the files and its memory against the compiler's report."""
import hashlib
import json
import pathlib
import sys

told, report = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:3])
certificate = told["certificate"]
assert certificate["memory"] == report["memory"], (certificate["memory"], report["memory"])
for file in certificate["provenance"]["files"]:
    data = (pathlib.Path(sys.argv[3]) / file["name"]).read_bytes()
    assert len(data) == file["bytes"] and hashlib.sha256(data).hexdigest() == file["sha256"], file
print(certificate["provenance"]["command"])
