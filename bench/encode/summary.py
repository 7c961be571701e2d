"""Table and ratios of the lines of EncodeBench and reference.py on standard input."""
import json
import sys

rows = [json.loads(line) for line in sys.stdin if line.startswith("{")]
print(f"{'who':14}{'precision':11}{'first s':>9}{'images/s':>10}{'(spread)':>16}{'peak MiB':>10}")
commands = [r for r in rows if "imagesPerSecond" not in r]
rows = [r for r in rows if "imagesPerSecond" in r]
for r in rows:
    spread = f"({r['slowest']:.2f}-{r['fastest']:.2f})"
    print(f"{r['who']:14}{r['precision']:11}{r['firstSeconds']:9.2f}{r['imagesPerSecond']:10.2f}{spread:>16}{r['peakMiB']:10d}")
ours = None
for r in rows:
    if r["who"] == "diva":
        ours = r
    elif ours:
        d = ours
        print(f"diva {d['precision']} / {r['who']} {r['precision']}: speed {d['imagesPerSecond'] / r['imagesPerSecond']:.2f}x, "
              f"first embedding {d['firstSeconds'] / r['firstSeconds']:.2f}x, memory {d['peakMiB'] / r['peakMiB']:.2f}x")
        for c in commands:
            if r["who"] == "open_clip" and c["precision"] == d["precision"]:
                print(f"{c['who']} {c['precision']}, one picture: {c['firstSeconds']:.2f} s, {c['firstSeconds'] / r['firstSeconds']:.2f}x")
