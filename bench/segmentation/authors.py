"""SAN as its authors' code makes it, from a folder of make.py."""
import importlib.machinery, json, logging, os, sys, types, warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
sys.modules["wandb"] = types.ModuleType("wandb")
sys.modules["wandb"].__spec__ = importlib.machinery.ModuleSpec("wandb", None)
sys.path[:0] = [os.environ["DETECTRON2"], os.environ["SAN"]]
import open_clip, torch
from detectron2.config import get_cfg
from detectron2.projects.deeplab import add_deeplab_config
from san import add_san_config
from san.model.san import SAN


def config(folder):
    """The authors' configuration with the keys of the folder over it."""
    own = json.load(open(folder + "/keys.json"))
    cfg = get_cfg()
    add_deeplab_config(cfg)
    add_san_config(cfg)
    cfg.merge_from_file(f"{os.environ['SAN']}/configs/{own['config']}")
    cfg.merge_from_list(own["keys"])
    return cfg


def build(folder, cfg):
    """With weights drawn anew."""
    open_clip.add_model_config(folder + "/open_clip")
    return SAN(cfg).float()


def load(folder):
    """With the weights of the folder."""
    cfg = config(folder)
    model = build(folder, cfg)
    model.load_state_dict(torch.load(folder + "/san.pth", mmap=True, weights_only=True)["model"])
    return cfg, model
