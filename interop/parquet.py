"""Reads what diva encode wrote as Parquet with Arrow, and compares it with the JSON of the same images.

    pip install pyarrow numpy
    diva encode --clip MODEL --images PICTURES --out emb.parquet && diva encode --clip MODEL --images PICTURES --out emb.json
    python interop/parquet.py emb.parquet emb.json
"""
import json
import sys

import numpy as np
import pyarrow.parquet as pq

table = pq.read_table(sys.argv[1])
with open(sys.argv[2]) as file:
    expected = json.load(file)
assert table.column("path").to_pylist() == expected["images"], "paths differ"
rows = np.array(table.column("embedding").to_pylist(), dtype=np.float32)
assert np.array_equal(rows, np.array(expected["image_embeds"], dtype=np.float32)), "embeddings differ"
print(f"{rows.shape[0]} rows of {rows.shape[1]} values, equal; {table.schema.metadata}")
