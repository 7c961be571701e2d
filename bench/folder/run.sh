#!/usr/bin/env bash
# Many small pictures in one folder: seconds and peak memory of encoding 5,000 and 50,000 links to pictures of the mini world with its CLIP.
#   bench/folder/run.sh WORK_FOLDER [COUNT]...
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
shift
[ $# -gt 0 ] || set -- 5000 50000
[ -d "$work/world" ] || "$root/diva" world render --captioned 100 --out "$work/world" >&2
for count; do
    "${PYTHON:-python3}" - "$work" "$count" <<'PY'
import glob, os, sys
work, count = sys.argv[1], int(sys.argv[2])
pictures = sorted(glob.glob(f"{work}/world/probe-train/**/*.png", recursive=True))[:500]
os.makedirs(f"{work}/{count}", exist_ok=True)
for i in range(len(os.listdir(f"{work}/{count}")), count):
    os.link(pictures[i % len(pictures)], f"{work}/{count}/{i:06d}.png")
PY
    rm -f "$work/$count.safetensors"
    /usr/bin/time -f "$count pictures: %e s, %M KiB" "$root/diva" encode --precision fp32 \
        --clip "$root/core/src/main/resources/dev/diva/world/models/clip" --images "$work/$count" --out "$work/$count.safetensors"
done
