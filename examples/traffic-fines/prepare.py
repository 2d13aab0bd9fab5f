"""Make traffic-fines.csv.gz from the reference data (folder in COSEAL_REFERENCE_DATA): officers become pseudonyms.

Law: nothing changes but the columns `resource` and `matricola`, whose values become salted hashes. The salt is drawn
anew and kept nowhere, so nobody can try all short numbers; running this again therefore gives other pseudonyms.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import secrets
from pathlib import Path

OFFICERS = ("resource", "matricola")


def main() -> None:
    """Write the file beside this script."""
    data = Path(os.environ.get("COSEAL_REFERENCE_DATA", "../shared/data"))
    text = gzip.decompress((data / "csv" / "traffic_fines_10k.csv.gz").read_bytes()).decode()
    reader = csv.DictReader(io.StringIO(text, newline=""))
    salt = secrets.token_bytes(32)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    for row in reader:
        for name in OFFICERS:
            if row[name]:
                row[name] = hashlib.sha256(salt + row[name].encode()).hexdigest()[:12]
        writer.writerow(row)
    target = Path(__file__).parent / "traffic-fines.csv.gz"
    target.write_bytes(gzip.compress(out.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
