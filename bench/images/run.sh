#!/usr/bin/env bash
# Decoding, a random crop and bicubic resizing to 512 x 512 of the images of a folder, processor time of one thread for an image:
#   PYTHON=... bench/images/run.sh FOLDER [ROUNDS]      PYTHON has pillow, torch and torchvision. Build first: ./mvnw -q package -DskipTests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/../run.sh" dev.diva.bench.images.ImagesBench "$1" "${2:-5}"
"${PYTHON:-python3}" "$here/reference.py" "$1" "${2:-5}"
