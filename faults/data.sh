#!/usr/bin/env bash
# Bad tars and images, and a share that vanishes while training runs.
#   faults/data.sh
set -uo pipefail
cd "$(dirname "$0")/.."
. faults/classpath.sh
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0
check() {
    local name=$1
    shift
    if "$@"; then echo "ok    $name"; else echo "WRONG $name"; failed=1; fi
}
says() { grep -q -- "$1" "$work/log" "$work/run/manifest.json"; }
mkdir "$work/good" "$work/bad"
cp "$GOLDEN"/preprocess/files/*.png "$work/good"
(cd "$work/good" && tar -cf ../bad/whole.tar *.png && tar -Pcf ../bad/escape.tar --transform 's#^#../../../tmp/escaped-#' odd.png)
head -c 30000 "$work/bad/whole.tar" > "$work/bad/truncated.tar"
{ head -c 10 "$work/bad/whole.tar"; head -c 3000 /dev/urandom; } > "$work/bad/header.tar"
(cd "$work/good" && tar -cf ../bad/twice.tar odd.png odd.png)
: > "$work/bad/zero.png"
echo "this is no image" > "$work/bad/text.png"
# A member that claims a gigabyte, and a PNG that claims 60000 x 60000 pixels.
(cd "$work" && truncate -s 1G giant.png && tar -Scf bad/giant.tar giant.png && tar -cf bad/giant2.tar giant.png; rm giant.png)
cp "$work/good/odd.png" "$work/bad/bomb.png"
printf '\x00\x00\xea\x60\x00\x00\xea\x60' | dd of="$work/bad/bomb.png" bs=1 seek=16 conv=notrunc 2> /dev/null

train() { # IMAGES... -- OPTION...
    rm -rf "$work/run"
    diva train --out "$work/run" --clip "$GOLDEN/clip-hf-vit" --diffusion "$GOLDEN/sd21" \
        --set resolution=64 --set precision=fp32 --set threads=1 --set workers=1 --set train.batch=2 --set train.accumulate=2 \
        --set train.lr=0.001 "$@" > "$work/log" 2>&1
    code=$?
}

train --images "$work/good" "$work/bad" --set train.steps=12 --max-bad-share 0.9 --json
check "all bad data at once: the run ends well" [ $code -eq 0 ]
for name in truncated.tar header.tar zero.png text.png bomb.png giant; do
    check "named: $name" says "$name"
done
check "nothing outside the target" [ ! -e /tmp/escaped-odd.png ]
peak=$(sed 's/.*"rssBytes":\([0-9]*\).*/\1/' "$work/run/metrics.jsonl" | sort -n | tail -n 1)
echo "peak resident memory $((peak >> 20)) MiB"
check "memory bounded" [ "$peak" -lt $((1200 << 20)) ]

mkdir "$work/share"
for i in $(seq 100); do cp "$work/good/odd.png" "$work/share/$i.png"; done
rm -rf "$work/run"
(while [ ! -d "$work/run/checkpoints/step-00000002" ]; do sleep 0.1; done; rm -f "$work"/share/*.png) &
train --images "$work/share" --set train.steps=400 --set checkpoint.every=1
check "the share vanishes: the run stops with exit code 3" [ $code -eq 3 ]
check "the share vanishes: limit and last image named" grep -q "images asked for since the start cannot be read, more than the limit of 0.05" "$work/log"
tail -n 1 "$work/log"
last=$(ls -d "$work"/run/checkpoints/step-* | tail -n 1)
for i in $(seq 100); do cp "$work/good/odd.png" "$work/share/$i.png"; done
diva train --out "$work/run" --resume > "$work/log" 2>&1 &
job=$!
while kill -0 $job 2> /dev/null && [ "$(ls -d "$work"/run/checkpoints/step-* | tail -n 1)" = "$last" ]; do sleep 0.1; done
pkill -TERM -P $job java
wait $job
check "the share is back: --resume goes on" [ $? -eq 75 ]
exit $failed
