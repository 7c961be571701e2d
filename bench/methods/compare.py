"""Runs both in turn and prints seconds of a step, peak memory and their ratios: compare.py METHOD CHECKOUT MODELS PRECISION BATCH STEPS REPEATS DIVA..."""
import json, os, shutil, statistics, subprocess, sys

method, checkout, models, precision, batch, steps, repeats = sys.argv[1:8]
diva = sys.argv[8:]
here = os.path.dirname(os.path.abspath(__file__))


def run(command):
    """Output and peak resident memory, bytes."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0: sys.exit(f"{command}: failed with {status}")
    return out, usage.ru_maxrss * 1024


def published():
    out, peak = run([sys.executable, here + "/published.py", method, checkout, models, precision, batch, steps])
    return json.loads(out.splitlines()[-1]), peak


def ours():
    out = models + "/run"
    shutil.rmtree(out, ignore_errors=True)
    own = dict(genhancer=["--diffusion", models + "/ae.safetensors", "--set", f"stage1={models}/stage1"],
               dcr=["--diffusion", models + "/sd", "--set", f"projectors={models}/dcr-projector.safetensors"])[method]
    _, peak = run(diva + ["train", "--preset", method + "-published", "--clip", models + "/clip", "--images", models + "/images", "--out", out, "--set", f"precision={precision}",
                          "--set", f"train={{steps: {steps}, batch: {batch}, accumulate: 1, warmupSteps: 0}}", "--set", "checkpoint.every=100000"] + own)
    lines = [json.loads(line) for line in open(out + "/metrics.jsonl")]
    return [int(batch) / line["imagesPerSecond"] for line in lines], peak


def figures(seconds): return statistics.median(seconds[1:] or seconds)


theirs, mine = [], []
for _ in range(int(repeats)):
    theirs.append(published()); mine.append(ours())
a, b = (statistics.median(figures(s) for s, _ in runs) for runs in (theirs, mine))
ma, mb = (max(peak for _, peak in runs) / 2**30 for runs in (theirs, mine))
print(f"{method}, {precision}, batch {batch}: published {a:.2f} s, diva {b:.2f} s, ratio {a / b:.2f}; published {ma:.2f} GiB, diva {mb:.2f} GiB, share {mb / ma:.2f}", flush=True)
