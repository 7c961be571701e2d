"""Runs both in turn and prints seconds, peak memory and their ratios: compare.py eval|train FOLDER PRECISION REPEATS STEPS ROUNDS"""
import json, os, shutil, statistics, subprocess, sys

from safetensors.numpy import load_file

does, folder, precision, repeats, steps, rounds = sys.argv[1:7]
here = os.path.dirname(os.path.abspath(__file__))
threads = os.environ["THREADS"]
theirs_file, ours_file = (f"{folder}/{who}-{precision}.safetensors" for who in ("original", "diva"))


def run(command):
    """Output and peak resident memory, bytes."""
    with open(folder + "/messages.txt", "w") as messages: child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0: sys.exit(f"{command}: failed with {status}: {open(folder + '/messages.txt').read()}")
    return out, usage.ru_maxrss * 1024


def original():
    row = json.loads(run([sys.executable, here + "/original.py", does, folder, precision] + ([repeats, theirs_file] if does == "eval" else [steps]))[0].splitlines()[-1])
    return row["seconds"], row["peak"]


def evaluated():
    out, peak = run(os.environ["BENCH"].split() + ["dev.diva.bench.segment.SegmentBench", folder + "/clip", folder + "/san.safetensors", folder + "/data/coco/train2017/0.png", precision, threads, repeats, ours_file])
    return json.loads(out.splitlines()[-1])["seconds"], peak


def trained():
    out = folder + "/run"
    shutil.rmtree(out, ignore_errors=True)
    keys = [f"precision={precision}", f"threads={threads}", f"train.steps={steps}", "train.batch=1", "train.accumulate=1", "checkpoint.every=100000"]
    if os.environ.get("TINY"): keys += ["crop=160", "shortEdges=[160]"]
    _, peak = run(os.environ["DIVA"].split() + ["segment", "train", "--clip", folder + "/clip", "--start", folder + "/san.safetensors", "--data", folder + "/data", "--out", out] + [word for key in keys for word in ("--set", key)])
    seconds = [1 / json.loads(line)["imagesPerSecond"] for line in open(out + "/metrics.jsonl")]
    return seconds[1:] or seconds, peak


ours = dict(eval=evaluated, train=trained)[does]
pairs = [(original(), ours()) for _ in range(int(rounds))]
a, b = (statistics.median(statistics.median(pair[who][0]) for pair in pairs) for who in (0, 1))
ma, mb = (max(pair[who][1] for pair in pairs) / 2**30 for who in (0, 1))
what = "a picture" if does == "eval" else "a step"
print(f"{os.path.basename(folder)}, {precision}, {what}: original {a:.2f} s, diva {b:.2f} s, ratio {a / b:.2f}; original {ma:.2f} GiB, diva {mb:.2f} GiB, share {mb / ma:.2f}", flush=True)
if does == "eval":
    x, y = load_file(theirs_file), load_file(ours_file)
    far = {name: (abs(x[name] - y[name]).max(), abs(x[name]).max()) for name in ("classes", "masks")}
    print("  largest difference: " + ", ".join(f"{name} {d:.1e} of {most:.2f}" for name, (d, most) in far.items()) + f"; {(x['labels'] == y['labels']).mean():.2%} of the pixels have the same label", flush=True)
