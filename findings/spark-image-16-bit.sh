#!/bin/sh
# Spark 4.2.0's image data source reads a PNG of 16-bit grey as one of 8 bits and keeps the LOW byte of each pixel, where the high one would be
# the picture: a smooth ramp becomes a saw, and the row says mode 0 (CV_8UC1) with one channel as for any grey picture.
# Seen: a ramp in steps of 500 comes out modulo 256; its high bytes in an 8-bit PNG come out right. No warning; dropInvalid keeps the row.
# Costs: depth maps, X-rays, microscopy and satellite channels are noise to whatever is trained or scored behind spark.read.format("image").
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q pyspark==4.2.0 pillow==13.0.0 numpy==2.3.5
cd "$work"
SPARK_LOCAL_IP=127.0.0.1 env/bin/python - 2> spark.log <<'PYTHON' || { cat spark.log; exit 1; }
from pathlib import Path

import numpy as np
import pyspark
from PIL import Image
from pyspark.sql import SparkSession

Path("images").mkdir()
ramp = np.tile(np.arange(128, dtype=np.uint16) * 500, (4, 1))
Image.fromarray(ramp).save("images/16.png")
Image.fromarray((ramp >> 8).astype(np.uint8)).save("images/8.png")
assert (np.asarray(Image.open("images/16.png")) == ramp).all()
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
rows = spark.read.format("image").option("dropInvalid", True).load("images").select("image.*").collect()
read = {Path(row.origin).name: np.frombuffer(row.data, np.uint8).reshape(row.height, row.width) for row in rows}
modes = {Path(row.origin).name: (row.mode, row.nChannels) for row in rows}
gateway = spark.sparkContext._gateway
spark.stop()
gateway.shutdown()
gateway.proc.stdin.close()
gateway.proc.wait()
print("pyspark", pyspark.__version__, "modes", modes)
print("8 bits", read["8.png"][0, :8], "16 bits", read["16.png"][0, :8], "16 bits in the file", ramp[0, :8])
assert modes["16.png"] == modes["8.png"] == (0, 1)
assert (read["8.png"] == ramp >> 8).all()
assert (read["16.png"] == ramp & 255).all()
PYTHON
