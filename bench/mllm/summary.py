"""Ratios of transformers' times to diva's from lines of JSON on standard input."""
import json
import sys

rows = {}
for line in sys.stdin:
    row = json.loads(line)
    rows[row["who"], row["precision"]] = row
for precision in dict.fromkeys(precision for _, precision in rows):
    ours, theirs = rows["diva", precision], rows["transformers", precision]
    for key in ("secondsPerQuestion", "prefillSeconds", "tokenSeconds"):
        print(f"{precision} {key}: diva {ours[key]:.4f}, transformers {theirs[key]:.4f}, ratio {theirs[key] / ours[key]:.2f}")
