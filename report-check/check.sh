#!/usr/bin/env bash
# Opens a report in a headless Chromium and fails unless
#   1. nothing is written to the console (no error, nothing blocked, nothing missing),
#   2. the counts and percentages of the given evaluation files stand in the page as the browser built it,
#   3. every curve is drawn,
#   4. nothing scrolls sideways at 360 and at 1280 pixels.
# Pictures (light, dark, phone) and a PDF land in the folder of the report, to be looked at.
#   report-check/check.sh report.html [evaluation.json ...]
# Needs chromium (or CHROMIUM=/path/to/it) and python3. Not part of the test command.
set -euo pipefail
report=$(realpath "$1"); shift
browser=${CHROMIUM:-chromium}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

open() { # open WIDTH HEIGHT PAGE OPTION...
  local width=$1 height=$2 page=$3; shift 3
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$work/profile" --enable-logging=stderr \
    --virtual-time-budget=3000 --window-size="$width,$height" "$@" "file://$page" 2>>"$work/log"
}

# A frame is as narrow as it is told, a window is not; its page measures itself, as frames of files may not look inside.
probe='<script>addEventListener("load",()=>setTimeout(()=>{const e=document.documentElement;const wide=[...document.querySelectorAll("body *")].filter(x=>x.getBoundingClientRect().right>innerWidth+1&&!x.closest(".skip,.said,.scroll")).map(x=>x.tagName+"."+x.getAttribute("class"));parent.postMessage({width:innerWidth,scroll:e.scrollWidth,wide:wide.slice(0,5)},"*")},1000))</script>'
python3 - "$report" "$work/narrow.html" "$probe" <<'PY'
import sys
page = open(sys.argv[1], encoding="utf-8").read()
open(sys.argv[2], "w", encoding="utf-8").write(page.replace("</body>", sys.argv[3] + "</body>"))
PY
cat > "$work/frame.html" <<'HTML'
<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><body style="margin:0">
<script>addEventListener("message",e=>{document.body.dataset.measured=JSON.stringify(e.data)})</script>
<iframe src="narrow.html" style="width:360px;height:14000px;border:0"></iframe></body>
HTML

open 1280 2000 "$report" --dump-dom > "$work/dom.html"
open 800 2000 "$work/frame.html" --dump-dom > "$work/frame-dom.html"
sed 's/width:360px/width:1280px/' "$work/frame.html" > "$work/wide.html"
open 1600 2000 "$work/wide.html" --dump-dom > "$work/wide-dom.html"
python3 "$(dirname "$0")/compare.py" "$work/dom.html" "$work/frame-dom.html" "$work/wide-dom.html" "$work/log" "$@"

base=${report%.html}
open 1280 6400 "$report" --hide-scrollbars --screenshot="$base-light.png"
open 1280 6400 "$report" --hide-scrollbars --force-dark-mode --screenshot="$base-dark.png"
open 360 14000 "$work/frame.html" --hide-scrollbars --screenshot="$base-phone.png"
open 1280 2000 "$report" --no-pdf-header-footer --print-to-pdf="$base.pdf"
echo "pictures: $base-light.png $base-dark.png $base-phone.png $base.pdf"
