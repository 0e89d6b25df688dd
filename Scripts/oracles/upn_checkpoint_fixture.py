"""Writes Tests/UPNTests/Fixtures: a proposal network small enough to commit, saved by `torch.save` in the layout of the
released `upn_large.pth` (copies of the box head, tables, a head without effect, foreign entries) with its config.json.

Every tensor is filled with its own number, the position of its name in the file (as float16), so that a test can tell which
copy was read: here the copies of the box head disagree.
"""

import collections
import json
import pathlib

import torch

WIDTH, HEADS, POINTS, LEVELS, HIDDEN, QUERIES, WINDOW = 8, 2, 2, 3, 8, 4, 4
STAGES = [(4, 1), (8, 2)]  # channels, heads; one block each
DECODER_LAYERS = 2


def linear(name, outputs, inputs):
    return [(name + ".weight", (outputs, inputs)), (name + ".bias", (outputs,))]


def norm(name, channels):
    return [(name + ".weight", (channels,)), (name + ".bias", (channels,))]


def mlp(name, *sizes):
    pairs = enumerate(zip(sizes, sizes[1:]))
    return [item for i, (a, b) in pairs for item in linear(f"{name}.layers.{i}", b, a)]


def deformable(name):
    points = HEADS * LEVELS * POINTS
    return (linear(name + ".sampling_offsets", 2 * points, WIDTH) + linear(name + ".attention_weights", points, WIDTH)
            + linear(name + ".value_proj", WIDTH, WIDTH) + linear(name + ".output_proj", WIDTH, WIDTH))


def layer(name, cross, norms):
    return (deformable(f"{name}.{cross}") + [item for n in norms for item in norm(f"{name}.norm{n}", WIDTH)]
            + linear(name + ".linear1", HIDDEN, WIDTH) + linear(name + ".linear2", WIDTH, HIDDEN))


def backbone():
    root = "backbone.model.backbone."
    items = [(root + "patch_embed.proj.weight", (STAGES[0][0], 3, 4, 4)), (root + "patch_embed.proj.bias", (STAGES[0][0],))]
    items += norm(root + "patch_embed.norm", STAGES[0][0])
    for s, (channels, heads) in enumerate(STAGES):
        block = f"{root}layers.{s}.blocks.0."
        items += norm(block + "norm1", channels)
        items += [(block + "attn.relative_position_bias_table", ((2 * WINDOW - 1) ** 2, heads)),
                  (block + "attn.relative_position_index", (WINDOW**2, WINDOW**2))]
        items += linear(block + "attn.qkv", 3 * channels, channels) + linear(block + "attn.proj", channels, channels)
        items += norm(block + "norm2", channels)
        items += linear(block + "mlp.fc1", 4 * channels, channels) + linear(block + "mlp.fc2", channels, 4 * channels)
        if s + 1 < len(STAGES):
            items += norm(f"{root}layers.{s}.downsample.norm", 4 * channels)
            items += [(f"{root}layers.{s}.downsample.reduction.weight", (2 * channels, 4 * channels))]
    return items + [item for s, (channels, _) in enumerate(STAGES) for item in norm(f"{root}norm{s}", channels)]


def everything():
    items = backbone()
    for level in range(LEVELS):
        extra = level >= len(STAGES)
        inputs, kernel = STAGES[min(level, len(STAGES) - 1)][0], 3 if extra else 1
        items += [(f"input_proj.{level}.0.weight", (WIDTH, inputs, kernel, kernel)), (f"input_proj.{level}.0.bias", (WIDTH,))]
        items += norm(f"input_proj.{level}.1", WIDTH)
    items += [("transformer.level_embed", (LEVELS, WIDTH))]
    items += layer("transformer.encoder.layers.0", "self_attn", [1, 2])
    for i in range(DECODER_LAYERS):
        name = f"transformer.decoder.layers.{i}"
        items += layer(name, "cross_attn", [1, 2, 3])
        items += [(name + ".self_attn.in_proj_weight", (3 * WIDTH, WIDTH)), (name + ".self_attn.in_proj_bias", (3 * WIDTH,))]
        items += linear(name + ".self_attn.out_proj", WIDTH, WIDTH)
    items += norm("transformer.decoder.norm", WIDTH)
    items += mlp("transformer.decoder.ref_point_head", 2 * WIDTH, WIDTH, WIDTH)
    items += mlp("transformer.decoder.ref_point_head_point", WIDTH, WIDTH, WIDTH)
    for i in range(DECODER_LAYERS):
        items += mlp(f"transformer.decoder.bbox_embed.{i}", WIDTH, WIDTH, WIDTH, 4)
    items += [("transformer.tgt_embed.weight", (QUERIES, WIDTH))]
    items += linear("transformer.enc_output", WIDTH, WIDTH) + norm("transformer.enc_output_norm", WIDTH)
    items += mlp("transformer.enc_out_bbox_embed", WIDTH, WIDTH, WIDTH, 4)
    items += [("transformer.fine_grained_prompt.weight", (1, WIDTH)), ("transformer.coarse_grained_prompt.weight", (1, WIDTH))]
    for i in range(DECODER_LAYERS):
        items += mlp(f"bbox_embed.{i}", WIDTH, WIDTH, WIDTH, 4)
    return items + [("label_enc.weight", (3, WIDTH))]  # left over from some training


folder = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "UPNTests" / "Fixtures"
folder.mkdir(parents=True, exist_ok=True)
state = collections.OrderedDict()
for position, (name, shape) in enumerate(everything()):
    dtype = torch.int64 if name.endswith("relative_position_index") else torch.float16
    state[name] = torch.full(shape, position, dtype=dtype)
torch.save({"epoch": 3, "model": state}, folder / "tiny.pth")
config = {
    "backbone": {
        "patch_size": 4, "embed_dim": STAGES[0][0], "depths": [1] * len(STAGES), "num_heads": [heads for _, heads in STAGES],
        "window_size": WINDOW, "mlp_ratio": 4.0, "return_interm_indices": list(range(len(STAGES))), "layer_norm_eps": 1e-5,
    },
    "d_model": WIDTH, "n_heads": HEADS, "n_points": POINTS, "d_ffn": HIDDEN, "num_feature_levels": LEVELS, "enc_layers": 1,
    "dec_layers": DECODER_LAYERS, "num_queries": QUERIES, "group_norm_groups": 4, "inverse_sigmoid_eps": 1e-3, "size": 64,
    "max_size": 96,
}
(folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
