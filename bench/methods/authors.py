"""Modules and statements of the authors' checkouts, unchanged."""
import ast, importlib, sys


def package(root, name):
    """A module of a checkout; those of another checkout are forgotten."""
    for known in [k for k in sys.modules if k.split(".")[0] in ("src", "clip_models")]: del sys.modules[known]
    sys.path.insert(0, root)
    try: return importlib.import_module(name)
    finally: sys.path.remove(root)


def loss_statements(script):
    """What a training script does from a batch to its loss."""
    tree = ast.parse(open(script).read())
    step = next(n for n in ast.walk(tree) if isinstance(n, ast.With) and "accumulate" in ast.dump(n.items[0]))
    end = max(i for i, s in enumerate(step.body) if isinstance(s, ast.Assign) and getattr(s.targets[0], "id", "") == "loss")
    return compile(ast.Module(step.body[:end + 1], []), script, "exec")
